package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.CheckpointFiles;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.JsonFiles;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * BERT's word pieces: from {@code tokenizer.json}, or from {@code vocab.txt} where there is none.
 *
 * <p>As in transformers, the class {@code BertTokenizer}, which is also meant where no class is
 * named, takes of {@code tokenizer.json} the tokens alone, and how texts are normalized from {@code
 * tokenizer_config.json}; other classes take {@code tokenizer.json} as it is.
 */
public final class WordPieceVocabulary {
  private static final String JSON = "tokenizer.json";
  private static final String VOCABULARY = "vocab.txt";
  private static final String PREFIX = "##";
  private static final int MAX_CHARACTERS = 100;

  /** Tokens with a role and their texts, in the order in which missing ones get ids. */
  private static final Map<String, String> ROLES = roles();

  private final Path directory;
  private final int nVocab;
  private final ObjectNode settings;
  private final HfConfig config;

  /**
   * @param directory where the tokenizer's files are: the checkpoint's folder, or one of their own
   *     such as that of a Q-Former
   * @param nVocab rows of the embedding
   * @throws IOException if {@code tokenizer_config.json} cannot be read
   * @throws ConversionException if it is damaged
   */
  public WordPieceVocabulary(Path directory, int nVocab) throws IOException {
    this.directory = directory;
    this.nVocab = nVocab;
    Path file = directory.resolve("tokenizer_config.json");
    settings = JsonFiles.findObject(file).orElseGet(JsonNodeFactory.instance::objectNode);
    config = HfConfig.of(file, settings);
  }

  private static Map<String, String> roles() {
    Map<String, String> roles = new LinkedHashMap<>();
    roles.put("bos", "");
    roles.put("eos", "");
    roles.put("unk", "[UNK]");
    roles.put("sep", "[SEP]");
    roles.put("pad", "[PAD]");
    roles.put("cls", "[CLS]");
    roles.put("mask", "[MASK]");
    return roles;
  }

  /**
   * Writes the tokenizer.
   *
   * @throws IOException if its files are missing or cannot be read
   * @throws ConversionException if they are damaged or of another kind
   */
  public void write(GgufWriter out) throws IOException {
    Path file = directory.resolve(JSON);
    TokenizerJson json = Files.exists(file) ? TokenizerJson.read(file) : null;
    Path source = json == null ? directory.resolve(VOCABULARY) : file;
    if (json != null && !json.modelType.equals("WordPiece")) {
      throw ConversionException.at(
          source,
          "'model.type'",
          "WordPiece",
          "'" + json.modelType + "'",
          "Models of this class with another tokenizer are not converted.");
    }
    Map<String, Integer> ids = json == null ? lines(source) : new LinkedHashMap<>(json.vocabulary);
    Vocabulary tokens = new Vocabulary(nVocab);
    for (Map.Entry<String, Integer> e : ids.entrySet()) {
      tokens.set(source, e.getValue(), e.getKey(), 0, TokenKind.NORMAL);
    }
    if (json != null) {
      for (TokenizerJson.Added t : BpeVocabulary.added(settings, json)) {
        ids.put(t.content(), t.id());
        TokenKind kind = t.special() ? TokenKind.CONTROL : TokenKind.USER_DEFINED;
        tokens.set(source, t.id(), t.content(), 0, kind);
      }
    }
    for (String text : special()) {
      int id = ids.computeIfAbsent(text, t -> next(ids));
      tokens.set(source, id, text, 0, TokenKind.CONTROL);
    }
    tokens.write(out, "wordpiece", "default", false);
    id(out, ids, "unk", "unknown_token_id");
    id(out, ids, "cls", "cls_token_id");
    id(out, ids, "sep", "seperator_token_id"); // llama.cpp's spelling
    id(out, ids, "pad", "padding_token_id");
    if (json != null && !isBertTokenizer()) {
      fromJson(out, source, json);
    } else {
      settings(
          out,
          true,
          config.flag("tokenize_chinese_chars", true),
          config.find("strip_accents"),
          config.flag("do_lower_case", true));
    }
  }

  private boolean isBertTokenizer() {
    String name = config.findString("tokenizer_class").orElse("BertTokenizer");
    return name.equals("BertTokenizer") || name.equals("BertTokenizerFast");
  }

  /** One more than the highest. */
  private static int next(Map<String, Integer> ids) {
    return ids.values().stream().mapToInt(i -> i).max().orElse(-1) + 1;
  }

  /** A token a line; of equal lines the last one counts. */
  private Map<String, Integer> lines(Path file) throws IOException {
    String all = CheckpointFiles.text(file, ".txt").replace("\r\n", "\n").replace('\r', '\n');
    if (all.endsWith("\n")) {
      all = all.substring(0, all.length() - 1);
    }
    Map<String, Integer> ids = new LinkedHashMap<>();
    String[] lines = all.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      ids.put(lines[i], i);
    }
    return ids;
  }

  private String text(String role) {
    return content(config.find(role + "_token"), ROLES.getOrDefault(role, ""));
  }

  private static String content(@Nullable JsonNode token, String otherwise) {
    if (token == null) {
      return otherwise;
    }
    return (token.isObject() ? token.path("content") : token).asText(otherwise);
  }

  /** Tokens with a role, and more that the configuration calls special. */
  private List<String> special() {
    List<String> out = new ArrayList<>();
    for (String role : ROLES.keySet()) {
      out.add(text(role));
    }
    for (String key : new String[] {"additional_special_tokens", "extra_special_tokens"}) {
      JsonNode more = config.find(key);
      if (more != null) {
        more.forEach(token -> out.add(content(token, "")));
      }
    }
    out.removeIf(String::isEmpty);
    return out;
  }

  private void id(GgufWriter out, Map<String, Integer> ids, String role, String key) {
    Integer id = ids.get(text(role));
    if (id != null) {
      out.u32("tokenizer.ggml." + key, id);
    }
  }

  private static void fromJson(GgufWriter out, Path source, TokenizerJson json) {
    JsonNode normalizer = json.part("normalizer");
    require(source, "normalizer", normalizer, "BertNormalizer");
    require(source, "pre_tokenizer", json.part("pre_tokenizer"), "BertPreTokenizer");
    require(
        source,
        "post_processor",
        json.part("post_processor"),
        "TemplateProcessing",
        "BertProcessing");
    settings(
        out,
        normalizer.path("clean_text").asBoolean(true),
        normalizer.path("handle_chinese_chars").asBoolean(true),
        normalizer.get("strip_accents"),
        normalizer.path("lowercase").asBoolean(true));
    JsonNode prefix = json.model.get("continuing_subword_prefix");
    if (prefix != null && prefix.isTextual() && !prefix.asText().equals(PREFIX)) {
      out.string("tokenizer.ggml.continuing_subword_prefix", prefix.asText());
    }
    JsonNode max = json.model.get("max_input_chars_per_word");
    if (max != null && max.canConvertToInt() && max.intValue() != MAX_CHARACTERS) {
      out.u32("tokenizer.ggml.max_input_chars_per_word", Math.max(0, max.intValue()));
    }
  }

  private static void require(Path source, String part, JsonNode node, String... known) {
    String found = node.path("type").asText("none");
    if (!List.of(known).contains(found)) {
      throw ConversionException.at(
          source,
          "'" + part + "'",
          "BERT's (%s)".formatted(String.join(" or ", known)),
          found,
          "Models of this class with another tokenizer are not converted.");
    }
  }

  private static void settings(
      GgufWriter out,
      boolean cleanText,
      boolean handleChineseChars,
      @Nullable JsonNode stripAccents,
      boolean lowercase) {
    String key = "tokenizer.ggml.normalizer.";
    out.bool(key + "lowercase", lowercase);
    boolean strips =
        stripAccents != null && stripAccents.isBoolean() ? stripAccents.asBoolean() : lowercase;
    out.bool(key + "strip_accents", strips);
    out.bool(key + "clean_text", cleanText);
    out.bool(key + "handle_chinese_chars", handleChineseChars);
  }
}
