package dev.ocellus.llama;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.MetadataType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Checks a vocabulary for what libllama's tokenizers assert on.
 *
 * <p>Source: {@code src/llama-vocab.cpp} of llama.cpp v0.4.0. It checks the lengths and types of
 * the other arrays and the range of special tokens itself, and throws.
 */
final class TokenizerGuard {
  /** SentencePiece: byte tokens stand in for what no token says. */
  private static final String SENTENCE_PIECE = "llama";

  /** SentencePiece's unigram model, which T5 has. */
  private static final String UNIGRAM = "t5";

  private static final Set<String> MODELS = Set.of(SENTENCE_PIECE, "gpt2", "gemma4", UNIGRAM);

  /**
   * libllama takes time and memory of the square of a token's length when that token is not written
   * in the byte alphabet. Real vocabularies stay far below.
   */
  private static final long MAX_SQUARES = 1L << 28;

  /**
   * Pre-tokenizers that libllama splits text for with code of its own, or with an expression that
   * matches single characters. The others go through {@code std::regex}, which calls itself for
   * every character that a repetition matches.
   */
  private static final Set<String> LINEAR =
      Set.of(
          "llama3",
          "llama-v3",
          "llama-bpe",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2",
          "jina-v5-nano",
          "dbrx",
          "smaug-bpe",
          "chatglm-bpe",
          "glm4",
          "gpt-2",
          "phi-2",
          "jina-es",
          "jina-de",
          "gigachat",
          "jina-v2-es",
          "jina-v2-de",
          "a.x-4.0",
          "mellum",
          "modern-bert",
          "jina-v1-en",
          "jina-v2-code",
          "roberta-bpe",
          "exaone4",
          "mpt",
          "olmo",
          "jais",
          "trillion",
          "granite-docling",
          "starcoder",
          "refact",
          "command-r",
          "smollm",
          "codeshell",
          "exaone",
          "minerva-7b",
          "mellum2",
          "stablelm2",
          "qwen2",
          "deepseek-r1-qwen",
          "kormo",
          "f2llmv2",
          "megrez",
          "hunyuan",
          "solar-open",
          "qwen35",
          "grok-2",
          "kimi-k2",
          "laguna",
          "gemma4",
          "granite-embed-multi-311m",
          "sarvam-moe");

  /**
   * What must be known of a tokenizer when it is used.
   *
   * @param recursive whether its native stack grows with the length of words
   * @param kind how it merges
   * @param spacePrefix whether a space is put in front of a text
   */
  record Limits(boolean recursive, Kind kind, boolean spacePrefix) {}

  /** How a tokenizer merges. */
  enum Kind {
    /** Pieces by their scores; bytes for what no piece says. */
    SENTENCE_PIECE,
    /** Bytes, each written as a character, by the list of merges. */
    BYTE_PAIRS,
    /** Characters by the list of merges; bytes for what no token says. */
    CHARACTER_PAIRS,
    /** Nothing is merged: the likeliest pieces, and the unknown token for what none says. */
    UNIGRAM
  }

  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String DAMAGED = "The file is damaged; download or convert it again.";

  private TokenizerGuard() {}

  static Limits check(Path file, GgufMetadata metadata) {
    String model = metadata.string("tokenizer.ggml.model");
    if (!MODELS.contains(model)) {
      throw ModelGuard.refusal(
          file,
          "metadata \"tokenizer.ggml.model\"",
          "one of " + MODELS,
          "\"" + model + "\"",
          "This kind of tokenizer is not supported in this release.");
    }
    // a pre-tokenizer for another tokenizer, whose words hold the spaces that merging asserts
    // against
    String pre = metadata.string("tokenizer.ggml.pre", "");
    if (pre.equals("whitespace")) {
      throw ModelGuard.refusal(
          file,
          "metadata \"tokenizer.ggml.pre\"",
          "a pre-tokenizer of " + model,
          "\"whitespace\"",
          DAMAGED);
    }
    Set<ByteBuffer> tokens = tokens(file, metadata);
    if (model.equals(SENTENCE_PIECE)) {
      requireBytes(file, tokens);
    }
    if (model.equals(UNIGRAM)) {
      requireUnknown(file, metadata, tokens.size());
      CharsMapGuard.check(file, metadata);
    }
    String name = metadata.string("general.name", "").toLowerCase(Locale.ROOT);
    if (name.contains("phi-3") || name.contains("phi3")) {
      requirePhi3(file, tokens);
    }
    Kind kind =
        switch (model) {
          case SENTENCE_PIECE -> Kind.SENTENCE_PIECE;
          case "gpt2" -> Kind.BYTE_PAIRS;
          case UNIGRAM -> Kind.UNIGRAM;
          default -> Kind.CHARACTER_PAIRS;
        };
    return new Limits(
        kind == Kind.BYTE_PAIRS && !LINEAR.contains(pre),
        kind,
        metadata.bool("tokenizer.ggml.add_space_prefix", kind == Kind.SENTENCE_PIECE));
  }

  /** What no piece says becomes this token, whatever its number. */
  private static void requireUnknown(Path file, GgufMetadata metadata, int nTokens) {
    int defaultId = 2;
    int id = metadata.int32("tokenizer.ggml.unknown_token_id", defaultId);
    if (id < 0 || id >= nTokens || defaultId >= nTokens) {
      throw ModelGuard.refusal(
          file,
          "metadata \"tokenizer.ggml.unknown_token_id\"",
          "the id of one of at least 3 tokens, of which there are " + nTokens,
          Integer.toString(id),
          DAMAGED);
    }
  }

  /** All tokens, as libllama will see them: ended by a NUL, and with a text in place of none. */
  private static Set<ByteBuffer> tokens(Path file, GgufMetadata metadata) {
    GgufArray array = metadata.array(TOKENS);
    if (array.elementType() != MetadataType.STRING
        || array.length() < 1
        || array.length() > GgufArray.MAX_BULK_ELEMENTS) {
      throw ModelGuard.refusal(
          file,
          "metadata \"" + TOKENS + "\"",
          "1 to %d strings".formatted(GgufArray.MAX_BULK_ELEMENTS),
          array.length() + " of type " + array.elementType().shortName(),
          DAMAGED);
    }
    List<byte[]> texts = array.stringBytes();
    Set<ByteBuffer> seen = HashSet.newHashSet(texts.size());
    long squares = 0;
    for (int i = 0; i < texts.size(); i++) {
      byte[] text = untilNul(texts.get(i));
      if (text.length == 0) {
        text = "[EMPTY_%d]".formatted(i).getBytes(StandardCharsets.US_ASCII);
      }
      squares += (long) text.length * text.length;
      if (!seen.add(ByteBuffer.wrap(text))) {
        throw ModelGuard.refusal(
            file,
            "metadata \"%s\" at %d".formatted(TOKENS, i),
            "a unique token",
            "a second \"%s\"".formatted(shortened(text)),
            DAMAGED);
      }
      if (squares > MAX_SQUARES) {
        throw ModelGuard.refusal(
            file,
            "metadata \"%s\" at %d".formatted(TOKENS, i),
            "tokens of some characters",
            "tokens of up to %d bytes".formatted(text.length),
            DAMAGED);
      }
    }
    return seen;
  }

  private static byte[] untilNul(byte[] text) {
    for (int i = 0; i < text.length; i++) {
      if (text[i] == 0) {
        return Arrays.copyOf(text, i);
      }
    }
    return text;
  }

  private static void requireBytes(Path file, Set<ByteBuffer> tokens) {
    for (int b = 0; b < 256; b++) {
      byte[] name = "<0x%02X>".formatted(b).getBytes(StandardCharsets.US_ASCII);
      if (!tokens.contains(ByteBuffer.wrap(name))
          && !(b > 0 && tokens.contains(ByteBuffer.wrap(new byte[] {(byte) b})))) {
        throw ModelGuard.refusal(
            file,
            "metadata \"" + TOKENS + "\"",
            "a token for every byte",
            "none for <0x%02X>".formatted(b),
            "Such a vocabulary cannot encode every text; convert the model again with byte tokens.");
      }
    }
  }

  /** libllama looks these up by the name of the model, and would only say that it failed. */
  private static void requirePhi3(Path file, Set<ByteBuffer> tokens) {
    for (String token : new String[] {"</s>", "<unk>", "<s>", "<|endoftext|>"}) {
      if (!tokens.contains(ByteBuffer.wrap(token.getBytes(StandardCharsets.US_ASCII)))) {
        throw ModelGuard.refusal(
            file,
            "metadata \"" + TOKENS + "\"",
            "\"%s\", as the model is called Phi-3 in general.name".formatted(token),
            "no such token",
            "Give the model another general.name.");
      }
    }
  }

  private static String shortened(byte[] text) {
    String s = new String(text, StandardCharsets.UTF_8);
    return s.length() <= 64 ? s : s.substring(0, 64) + "…";
  }
}
