package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.CheckpointFiles;
import dev.ocellus.convert.hf.JsonFiles;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The word pieces of a Q-Former, in a folder of their own: from {@code tokenizer.json}, or from
 * {@code vocab.txt} where there is none. What {@code tokenizer_config.json} says of the
 * normalization counts for more than what {@code tokenizer.json} does, as in the reference.
 */
public final class QFormerVocabulary {
  private static final String CONFIG = "tokenizer_config.json";

  private final Path folder;
  private final int nVocab;

  /**
   * @param folder where the tokenizer's files are
   * @param nVocab rows of the embedding
   */
  public QFormerVocabulary(Path folder, int nVocab) {
    this.folder = folder;
    this.nVocab = nVocab;
  }

  /**
   * Writes the tokenizer.
   *
   * @throws ConversionException if it is missing, damaged or of another kind
   */
  public void write(GgufWriter out) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    TokenizerJson json = Files.exists(file) ? TokenizerJson.read(file) : null;
    if (json != null && !json.modelType.equals("WordPiece")) {
      throw ConversionException.at(
          file,
          "'model.type'",
          "WordPiece",
          "'" + json.modelType + "'",
          "Another tokenizer belongs to no model of this class.");
    }
    ObjectNode config =
        JsonFiles.findObject(folder.resolve(CONFIG))
            .orElseGet(JsonNodeFactory.instance::objectNode);
    Map<String, Integer> ids = json == null ? lines() : json.vocabulary;
    Map<String, Integer> all = new LinkedHashMap<>(ids);
    Vocabulary tokens = new Vocabulary(nVocab);
    ids.forEach((text, id) -> set(tokens, text, id, TokenKind.NORMAL));
    if (json != null) {
      for (TokenizerJson.Added t : json.added) {
        all.put(t.content(), t.id());
        set(tokens, t.content(), t.id(), t.special() ? TokenKind.CONTROL : TokenKind.USER_DEFINED);
      }
    }
    for (String special : specials(config)) {
      Integer id = all.get(special);
      if (id != null) {
        set(tokens, special, id, TokenKind.CONTROL);
      }
    }
    tokens.write(out, "bert", "default", false);
    id(out, all, config, "unk_token", "[UNK]", "unknown_token_id");
    id(out, all, config, "cls_token", "[CLS]", "cls_token_id");
    id(out, all, config, "sep_token", "[SEP]", "seperator_token_id"); // llama.cpp's spelling
    model(out, json);
    normalizer(out, json, config);
  }

  private static Set<String> specials(ObjectNode config) {
    Set<String> specials = new HashSet<>();
    for (String role : List.of("unk", "cls", "sep", "pad", "mask")) {
      specials.add(text(config, role + "_token", "[" + role.toUpperCase(Locale.ROOT) + "]"));
    }
    return specials;
  }

  private static String text(ObjectNode config, String key, String usual) {
    JsonNode token = config.path(key);
    return (token.isObject() ? token.path("content") : token).asText(usual);
  }

  private void id(
      GgufWriter out,
      Map<String, Integer> ids,
      ObjectNode config,
      String name,
      String usual,
      String key) {
    String text = text(config, name, usual);
    Integer id = ids.get(text);
    if (id == null) {
      throw ConversionException.at(
          folder.resolve(CONFIG),
          "'" + name + "'",
          "a token of the vocabulary",
          "'" + text + "'",
          "The files of the tokenizer are not of one checkpoint.");
    }
    out.u32("tokenizer.ggml." + key, id);
  }

  private void set(Vocabulary tokens, String text, int id, TokenKind kind) {
    if (id >= nVocab) {
      throw ConversionException.at(
          folder,
          "token '%s'".formatted(text.length() <= 64 ? text : text.substring(0, 64) + "…"),
          "an id below the %d rows of the embedding".formatted(nVocab),
          Integer.toString(id),
          "Tokenizer and model are not of one checkpoint.");
    }
    tokens.set(id, text, 0, kind);
  }

  private static void model(GgufWriter out, @Nullable TokenizerJson json) {
    JsonNode prefix = json == null ? null : json.model.get("continuing_subword_prefix");
    if (prefix != null && !prefix.asText().equals("##")) {
      out.string("tokenizer.ggml.continuing_subword_prefix", prefix.asText());
    }
    JsonNode max = json == null ? null : json.model.get("max_input_chars_per_word");
    if (max != null && max.canConvertToInt() && max.asInt() != 100) {
      out.u32("tokenizer.ggml.max_input_chars_per_word", max.asInt());
    }
  }

  private static void normalizer(GgufWriter out, @Nullable TokenizerJson json, ObjectNode config) {
    JsonNode n = json == null ? config.path("") : json.part("normalizer");
    boolean lowercase = flag(config, "do_lower_case", n, "lowercase", true);
    String key = "tokenizer.ggml.normalizer.";
    out.bool(key + "lowercase", lowercase);
    out.bool(key + "clean_text", n.path("clean_text").asBoolean(true));
    out.bool(
        key + "handle_chinese_chars",
        flag(config, "tokenize_chinese_chars", n, "handle_chinese_chars", true));
    out.bool(key + "strip_accents", flag(config, "strip_accents", n, "strip_accents", lowercase));
  }

  private static boolean flag(
      ObjectNode config, String key, JsonNode normalizer, String name, boolean usual) {
    JsonNode value = config.path(key);
    value = value.isBoolean() ? value : normalizer.path(name);
    return value.isBoolean() ? value.asBoolean() : usual;
  }

  private Map<String, Integer> lines() throws IOException {
    Path file = folder.resolve("vocab.txt");
    if (!Files.exists(file)) {
      throw new ConversionException(
          "%s: neither tokenizer.json nor vocab.txt. Download the tokenizer into this folder."
              .formatted(folder));
    }
    Map<String, Integer> ids = new LinkedHashMap<>();
    List<String> lines = CheckpointFiles.text(file, ".txt").lines().toList();
    for (int id = 0; id < lines.size(); id++) {
      ids.put(lines.get(id), id);
    }
    return ids;
  }
}
