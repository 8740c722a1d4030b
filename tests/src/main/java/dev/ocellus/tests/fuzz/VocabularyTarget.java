package dev.ocellus.tests.fuzz;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Vocabularies by chance whose texts, merges and kinds of tokens are made to meet: no text of a
 * user may become a token that stands for an action.
 */
final class VocabularyTarget extends GeneratedTarget {
  private static final int TEXTS = 40;
  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int UNUSED = 5;
  private static final int BYTE = 6;
  private static final List<Integer> TYPES =
      List.of(NORMAL, NORMAL, NORMAL, CONTROL, CONTROL, USER_DEFINED, UNUSED);
  private static final List<String> PRE =
      List.of("default", "gpt-2", "llama-bpe", "qwen2", "superbpe", "smollm");
  private static final List<String> LETTERS = List.of("<", "|", ">", "/", "s", "e", "o", "_");

  @Override
  public String name() {
    return "vocabulary";
  }

  @Override
  void run(SplittableRandom random, Path folder) throws Exception {
    boolean pairs = random.nextBoolean();
    Path file = folder.resolve("vocabulary.gguf");
    Made made = pairs ? bytePairs(random) : sentencePiece(random);
    made.write(file, pairs ? EdgeValues.one(PRE, random) : null);
    try (LlamaModel model = LlamaModel.loadVocabulary(file)) {
      for (int i = 0; i < TEXTS; i++) {
        check(model.vocab(), made.text(random));
      }
    }
  }

  /** Tokenizes as text of a user, which must stay text. */
  static void check(Vocab vocab, String text) {
    int[] ids = vocab.tokenize(text, false);
    Set<Integer> markers = new HashSet<>();
    vocab.specialTokens().forEach(token -> markers.add(token.id()));
    for (int id : ids) {
      require(
          !markers.contains(id) && !vocab.isControl(id),
          "token %d of \"%s\" out of the text \"%s\"".formatted(id, vocab.text(id), text));
    }
  }

  /** A vocabulary that is being made up. */
  private record Made(List<String> tokens, List<Integer> types, List<String> merges) {
    Made() {
      this(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    }

    void add(String text, int type) {
      if (!tokens.contains(text)) {
        tokens.add(text);
        types.add(type);
      }
    }

    /** Pieces of tokens, whole ones, and other characters. */
    String text(SplittableRandom random) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(8); n >= 0; n--) {
        String token = EdgeValues.one(tokens, random);
        text.append(
            switch (random.nextInt(5)) {
              case 0, 1 -> token;
              case 2 -> token.substring(token.offsetByCodePoints(0, 1));
              case 3 -> EdgeValues.one(LETTERS, random);
              default -> EdgeValues.one(List.of(" ", "é", "中", "\u0000", "▁", "Ġ", "a\n"), random);
            });
      }
      return text.toString();
    }

    void write(Path file, @Nullable String pre) throws java.io.IOException {
      var out = new GgufWriter().string("general.architecture", "llama");
      float[] scores = new float[tokens.size()];
      for (int i = 0; i < scores.length; i++) {
        scores[i] = -(i * 7919 % 1000);
      }
      out.string("tokenizer.ggml.model", pre == null ? "llama" : "gpt2")
          .floats("tokenizer.ggml.scores", scores)
          .u32("tokenizer.ggml.eos_token_id", tokens.size() - 1);
      if (pre != null) {
        out.string("tokenizer.ggml.pre", pre)
            .put("tokenizer.ggml.merges", GgufArray.ofStrings(merges));
      }
      out.put(
              "tokenizer.ggml.tokens",
              GgufArray.ofBytes(
                  tokens.stream().map(t -> t.getBytes(StandardCharsets.UTF_8)).toList()))
          .put(
              "tokenizer.ggml.token_type",
              GgufArray.ofIntegers(
                  MetadataType.I32, types.stream().mapToLong(Integer::longValue).toArray()))
          .write(file);
    }
  }

  private static Made sentencePiece(SplittableRandom random) {
    Made made = new Made();
    made.add("<unk>", 2);
    for (int b = 0; b < 256; b++) {
      made.add("<0x%02X>".formatted(b), BYTE);
    }
    made.add("▁", NORMAL);
    LETTERS.forEach(letter -> made.add(letter, NORMAL));
    grow(made, random);
    return made;
  }

  private static Made bytePairs(SplittableRandom random) {
    Made made = new Made();
    int beyond = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b > ' ' && b < 0x7f) || (b > 0xa0 && b != 0xad);
      made.add(Character.toString(printable ? b : beyond++), NORMAL);
    }
    grow(made, random);
    return made;
  }

  /** Joins tokens to longer ones, of which some are no text. */
  private static void grow(Made made, SplittableRandom random) {
    List<String> parts = new ArrayList<>(LETTERS);
    for (int n = random.nextInt(5, 60); n > 0; n--) {
      String left = EdgeValues.one(parts, random);
      String right = EdgeValues.one(parts, random);
      made.add(left + right, EdgeValues.one(TYPES, random));
      made.merges.add(left + " " + right);
      parts.add(left + right);
    }
    made.add(EdgeValues.one(parts, random) + ">", random.nextBoolean() ? CONTROL : NORMAL);
  }
}
