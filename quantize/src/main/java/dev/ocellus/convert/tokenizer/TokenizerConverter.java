package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Writes the tokenizer of a checkpoint: {@code tokenizer.model} (SentencePiece) before {@code
 * tokenizer.json}, as it says more of the same.
 */
public final class TokenizerConverter {
  /** In place of the id of a token that begins an image: the model knows none. */
  public static final int NO_IMAGES = -1;

  private static final String SENTENCE_PIECE = "tokenizer.model";
  private static final String SPIECE = "spiece.model";
  private static final String JSON = "tokenizer.json";

  private static final Map<String, String> ROBERTA =
      Map.of("bos", "<s>", "eos", "</s>", "sep", "</s>", "pad", "<pad>", "mask", "<mask>");

  private final HfFolder folder;
  private final int nVocab;
  private final @Nullable String forcedPre;

  /**
   * A converter.
   *
   * @param nVocab tokens of the model, which may be more than those of the tokenizer
   * @param forcedPre the pre-tokenizer's name that the user gave, or null to recognise it
   */
  public TokenizerConverter(HfFolder folder, int nVocab, @Nullable String forcedPre) {
    this.folder = folder;
    this.nVocab = nVocab;
    this.forcedPre = forcedPre;
  }

  /**
   * Writes the tokenizer.
   *
   * @throws ConversionException if it is missing, damaged or of an unknown kind
   */
  public void write(GgufWriter out) throws IOException {
    write(out, Map.of());
  }

  /**
   * Writes the tokenizer of a family whose files do not name all tokens with a role.
   *
   * @param roles texts of such tokens, which count before what the files say, by role
   * @throws ConversionException if it is missing, damaged or of an unknown kind
   */
  public void write(GgufWriter out, Map<String, String> roles) throws IOException {
    if (Files.exists(folder.file(SENTENCE_PIECE))) {
      sentencePiece(out, tokenizerJson());
      return;
    }
    TokenizerJson json = tokenizerJson();
    if (json == null) {
      throw new ConversionException(
          "%s: neither %s nor %s. Download the tokenizer into the same folder."
              .formatted(folder.directory(), SENTENCE_PIECE, JSON));
    }
    switch (json.modelType) {
      case "BPE" -> {
        if (json.modelFlag("byte_fallback")) {
          new SentencePieceLikeBpe(folder, json, nVocab).write(out);
        } else {
          byteLevelBpe(out, json);
        }
      }
      case "Unigram" -> new UnigramVocabulary(folder, json, nVocab).write(out);
      default ->
          throw ConversionException.at(
              folder.file(JSON),
              "'model.type'",
              "BPE or Unigram",
              "'" + json.modelType + "'",
              "This kind of tokenizer belongs to no model that is converted.");
    }
    SpecialTokens special = SpecialTokens.of(folder, json, nVocab);
    for (TokenizerJson.Added token : json.added) {
      roles.forEach((role, text) -> {
        if (token.content().equals(text)) {
          special.set(role, token.id());
        }
      });
    }
    finish(out, special, json);
  }

  /** T5's unigram model, of which {@code tokenizer.json} also has the sentinels. */
  public void writeT5(GgufWriter out) throws IOException {
    TokenizerJson json = tokenizerJson();
    if (json != null && json.modelType.equals("Unigram")) {
      new UnigramVocabulary(folder, json, nVocab).write(out);
    } else if (Files.exists(folder.file(SPIECE))) {
      unigram(out, new SentencePieceVocabulary(folder, nVocab, SPIECE));
    } else {
      throw new ConversionException(
          "%s: neither a unigram model in %s nor %s, one of which T5's tokenizer is. Download the tokenizer into the same folder."
              .formatted(folder.directory(), JSON, SPIECE));
    }
    SpecialTokens special = SpecialTokens.of(folder, json, nVocab);
    special.remove("bos"); // whatever a configuration says: no text of T5 begins with one
    finish(out, special, json);
  }

  /**
   * BART's byte level BPE with the tokens of Florence-2's tasks. Those stand in answers and, as
   * places in the image, in what users write: they are words of the model and no control tokens.
   */
  public void writeFlorence(GgufWriter out) throws IOException {
    TokenizerJson json = tokenizerJson();
    if (json == null || !json.modelType.equals("BPE") || json.modelFlag("byte_fallback")) {
      write(out);
      return;
    }
    byteLevelBpe(out, json, FlorenceWords::add);
    finish(out, SpecialTokens.of(folder, json, nVocab), json);
  }

  /** Llama's files say whether a space goes in front of a text. */
  public void writeLlama(GgufWriter out) throws IOException {
    JsonNode prefix = folder.json("tokenizer_config.json").get("add_prefix_space");
    if (prefix != null && prefix.isBoolean()) {
      out.bool("tokenizer.ggml.add_space_prefix", prefix.asBoolean());
    }
    write(out);
  }

  /** Gemma never puts a space in front. */
  public void writeGemma(GgufWriter out) throws IOException {
    write(out);
    if (Files.exists(folder.file(SENTENCE_PIECE))) {
      out.bool("tokenizer.ggml.add_space_prefix", false);
    }
  }

  /**
   * Gemma 4's byte pair encoding, with its merges; a text always begins with a token.
   *
   * @throws ConversionException if there is no {@code tokenizer.json} of its kind
   */
  public void writeGemma4(GgufWriter out) throws IOException {
    TokenizerJson json = tokenizerJson();
    if (json == null || !json.modelType.equals("BPE") || json.merges.isEmpty()) {
      throw new ConversionException(
          "%s: no %s with the merges of a byte pair encoding, which Gemma 4's tokenizer is. Download it into the same folder."
              .formatted(folder.directory(), JSON));
    }
    new Gemma4Vocabulary(folder, json, nVocab).write(out);
    finish(out, SpecialTokens.of(folder, json, nVocab), json);
    out.bool("tokenizer.ggml.add_space_prefix", false);
  }

  /** CLIP's byte pair encoding with ends of words, which only text towers have. */
  public void writeClip(GgufWriter out) throws IOException {
    TokenizerJson json = tokenizerJson();
    new ClipVocabulary(folder, nVocab).write(out, json);
    SpecialTokens.of(folder, json, nVocab).write(out);
  }

  /**
   * The tokenizer of a text tower that may have one of several, by what {@code tokenizer.json} is:
   * CLIP's where there is none.
   */
  public void writeDual(GgufWriter out) throws IOException {
    TokenizerJson json = tokenizerJson();
    if (json != null && json.modelType.equals("Unigram")) {
      new UnigramVocabulary(folder, json, nVocab).write(out, "unigram");
      SpecialTokens.of(folder, json, nVocab).write(out);
    } else if (json != null && json.modelType.equals("BPE") && json.modelFlag("byte_fallback")) {
      new Siglip2Vocabulary(folder, json, nVocab).write(out);
      SpecialTokens.of(folder, json, nVocab).write(out);
    } else {
      writeClip(out);
    }
  }

  /**
   * Qwen's first generation: {@code qwen.tiktoken}, whose control tokens stand in code alone; or a
   * {@code tokenizer.json} where there is no such file.
   *
   * @param imageStart the id of {@code <img>}, or {@link #NO_IMAGES}
   * @param raw whether the checkpoint was not trained for chats
   * @throws ConversionException if it is missing or damaged
   */
  public void writeQwen(GgufWriter out, int imageStart, boolean raw) throws IOException {
    if (Files.exists(folder.file(QwenVocabulary.FILE))) {
      new QwenVocabulary(folder, nVocab, imageStart).write(out, forcedPre);
    } else {
      write(out);
    }
    if (imageStart != NO_IMAGES) {
      QwenVocabulary.writeTemplate(out, raw);
    }
  }

  /**
   * Kimi's {@code tiktoken.model}, which published folders have; or a {@code tokenizer.json} where
   * there is one.
   *
   * @throws ConversionException if it is missing or damaged
   */
  public void writeKimi(GgufWriter out) throws IOException {
    if (Files.exists(folder.file(JSON)) || !Files.exists(folder.file(KimiVocabulary.FILE))) {
      write(out);
    } else {
      finish(out, new KimiVocabulary(folder, nVocab).write(out, forcedPre), null);
    }
  }

  /** BERT's word pieces, which only text towers and small decoders have. */
  public void writeWordPiece(GgufWriter out) throws IOException {
    new WordPieceVocabulary(folder.directory(), nVocab).write(out);
  }

  /**
   * RoBERTa's byte level BPE, or the unigram model of XLM-RoBERTa, for text towers. Their control
   * tokens have the usual texts where no file says otherwise.
   *
   * @throws ConversionException if there is no {@code tokenizer.json} of either kind
   */
  public void writeRoberta(GgufWriter out) throws IOException {
    TokenizerJson json = tokenizerJson();
    boolean isUnigram = json != null && json.modelType.equals("Unigram");
    if (json == null
        || !(isUnigram || json.modelType.equals("BPE"))
        || json.modelFlag("byte_fallback")) {
      throw new ConversionException(
          "%s: no %s with RoBERTa's byte level BPE or XLM-RoBERTa's unigram model. Download it into the same folder."
              .formatted(folder.directory(), JSON));
    }
    if (isUnigram) {
      new UnigramVocabulary(folder, json, nVocab).write(out, "unigram");
    } else {
      robertaBpe(out, json);
    }
    SpecialTokens special = SpecialTokens.of(folder, json, nVocab);
    ROBERTA.forEach((role, text) -> {
      int id = isUnigram ? json.pieces.indexOf(text) : json.vocabulary.getOrDefault(text, -1);
      special.setIfAbsent(role, id);
    });
    special.write(out);
  }

  private void robertaBpe(GgufWriter out, TokenizerJson json) throws IOException {
    Vocabulary vocabulary = new BpeVocabulary(folder, json, nVocab).tokens();
    vocabulary.write(out, "gpt2", "roberta", false);
    out.strings("tokenizer.ggml.merges", json.merges);
    JsonNode prefix = json.part("pre_tokenizer").findValue("add_prefix_space");
    out.bool("tokenizer.ggml.add_space_prefix", prefix != null && prefix.asBoolean(false));
    strips(out, "lstrip_tokens", json.takingSpaceInFront);
    strips(out, "rstrip_tokens", json.takingSpaceBehind);
  }

  private static void strips(GgufWriter out, String key, List<Integer> ids) {
    if (!ids.isEmpty()) {
      out.ints("tokenizer.ggml." + key, ids.stream().mapToInt(Integer::intValue).toArray());
    }
  }

  /** InternLM2 ends turns with {@code <|im_end|>}, which its files do not name as the end. */
  public void writeInternLm2(GgufWriter out) throws IOException {
    if (!Files.exists(folder.file(SENTENCE_PIECE))) {
      write(out);
      return;
    }
    TokenizerJson json = tokenizerJson();
    SentencePieceVocabulary vocabulary =
        new SentencePieceVocabulary(folder, nVocab, SENTENCE_PIECE);
    vocabulary.unusedPlaceholders();
    vocabulary.tokens().writeSentencePiece(out, folder.file(SENTENCE_PIECE));
    out.bool("tokenizer.ggml.add_space_prefix", vocabulary.model().addDummyPrefix);
    SpecialTokens special = SpecialTokens.of(folder, json, nVocab);
    int end = vocabulary.find("<|im_end|>");
    if (end >= 0) {
      special.set("eos", end);
    }
    finish(out, special, null);
  }

  private void sentencePiece(GgufWriter out, @Nullable TokenizerJson json) throws IOException {
    SentencePieceVocabulary vocabulary =
        new SentencePieceVocabulary(folder, nVocab, SENTENCE_PIECE);
    SentencePieceModel model = vocabulary.model();
    if (model.modelType == SentencePieceModel.UNIGRAM) {
      unigram(out, vocabulary);
    } else {
      vocabulary.tokens().writeSentencePiece(out, folder.file(SENTENCE_PIECE));
    }
    finish(out, SpecialTokens.of(folder, json, nVocab), null);
  }

  private static void unigram(GgufWriter out, SentencePieceVocabulary vocabulary) {
    SentencePieceModel model = vocabulary.model();
    vocabulary.tokens().write(out, "t5", "default", true);
    out.bool("tokenizer.ggml.add_space_prefix", model.addDummyPrefix);
    out.bool("tokenizer.ggml.remove_extra_whitespaces", model.removeExtraWhitespaces);
    UnigramVocabulary.writeCharsmap(out, model.precompiledCharsmap);
  }

  /** SigLIP's unigram model, or the byte pair encoding of SigLIP 2. */
  public void writeSiglip(GgufWriter out) throws IOException {
    TokenizerJson json = tokenizerJson();
    if (json != null && json.modelType.equals("BPE") && json.modelFlag("byte_fallback")) {
      writeDual(out);
      return;
    }
    if (!Files.exists(folder.file(SPIECE))) {
      throw new ConversionException(
          "%s: neither %s, which SigLIP's tokenizer is, nor a tokenizer.json as SigLIP 2 has it. Download the tokenizer into the same folder."
              .formatted(folder.directory(), SPIECE));
    }
    HfConfig config =
        HfConfig.of(folder.file("tokenizer_config.json"), folder.json("tokenizer_config.json"));
    if (!config.flag("do_lower_case", true)) {
      throw config.invalid("do_lower_case", "true, as no file can say otherwise", "false");
    }
    SentencePieceVocabulary vocabulary = new SentencePieceVocabulary(folder, nVocab, SPIECE);
    if (vocabulary.model().modelType != SentencePieceModel.UNIGRAM) {
      throw new ConversionException(
          "%s: expected a unigram model, found another. Is it the tokenizer of this checkpoint?"
              .formatted(folder.file(SPIECE)));
    }
    unigram(out, vocabulary);
    siglipToken(out, vocabulary, config, "eos_token", "</s>", "eos_token_id");
    siglipToken(out, vocabulary, config, "pad_token", "</s>", "padding_token_id");
    siglipToken(out, vocabulary, config, "unk_token", "<unk>", "unknown_token_id");
  }

  private static void siglipToken(
      GgufWriter out,
      SentencePieceVocabulary vocabulary,
      HfConfig config,
      String name,
      String defaultText,
      String key) {
    JsonNode token = config.find(name);
    String text =
        token == null
            ? defaultText
            : (token.isObject() ? token.path("content") : token).asText(defaultText);
    int id = vocabulary.find(text);
    if (id < 0) {
      throw config.invalid(name, "a token of " + SPIECE, "'" + text + "'");
    }
    out.u32("tokenizer.ggml." + key, id);
  }

  private void byteLevelBpe(GgufWriter out, TokenizerJson json) throws IOException {
    byteLevelBpe(out, json, vocabulary -> {});
  }

  private void byteLevelBpe(GgufWriter out, TokenizerJson json, Consumer<Vocabulary> change)
      throws IOException {
    String pre = forcedPre != null ? forcedPre : PreTokenizers.recognise(folder.file(JSON), json);
    Vocabulary vocabulary = new BpeVocabulary(folder, json, nVocab).tokens();
    change.accept(vocabulary);
    vocabulary.write(out, "gpt2", pre, false);
    if (json.merges.isEmpty()) {
      throw ConversionException.at(
          folder.file(JSON), "'model.merges'", "merges", "none", "Download the file again.");
    }
    out.strings("tokenizer.ggml.merges", json.merges);
  }

  private void finish(GgufWriter out, SpecialTokens special, @Nullable TokenizerJson json)
      throws IOException {
    special.write(out);
    ObjectNode config = folder.json("tokenizer_config.json");
    ChatTemplates.of(folder, config).write(out);
    if (json != null) {
      Normalizers.write(out, json.part("normalizer"));
    }
  }

  private @Nullable TokenizerJson tokenizerJson() throws IOException {
    return Files.exists(folder.file(JSON)) ? TokenizerJson.read(folder.file(JSON)) : null;
  }
}
