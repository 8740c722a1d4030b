package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Text never becomes a marker, whatever a vocabulary merges, and is not changed otherwise. */
class MarkersInTextTest {
  private static final Path MERGES_INTO_CONTROL =
      Path.of("src/test/resources/dev/ocellus/llama/spm-merges-into-control.gguf");
  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;

  @TempDir private Path folder;

  private final List<String> tokens = new ArrayList<>();
  private final List<Integer> types = new ArrayList<>();
  private final List<Float> scores = new ArrayList<>();

  @Test
  void sentencePieceMergesAsIfThereWereNoControlTokens() throws IOException {
    try (LlamaModel model = LlamaModel.loadVocabulary(MERGES_INTO_CONTROL)) {
      Vocab vocab = model.vocab();
      assertThat(vocab.tokenize("</s>", true)).contains(vocab.eos());
      for (String text : List.of("</s>", "<s>", "a</s>b <s> </s></s>", "<s>é\u0001</s>中")) {
        int[] ids = vocab.tokenize(text, false);
        requireNoMarkers(vocab, ids);
        assertThat(VocabTest.text(vocab, ids).strip()).isEqualTo(text);
      }
    }
  }

  @Test
  void whatSentencePieceMergesInsteadIsWhatItWouldWithoutThoseTokens() throws IOException {
    sentencePiece();
    add("</", NORMAL, -1);
    add("</s", NORMAL, -2);
    add("</s>", CONTROL, 0);
    add(">x", NORMAL, -3);
    try (LlamaModel model = sentencePieceModel()) {
      assertThat(texts(model.vocab(), "</s>")).containsExactly("▁", "</s", ">");
      // without the control token the end is free for another merge
      assertThat(texts(model.vocab(), "</s>x")).containsExactly("▁", "</s", ">x");
      assertThat(texts(model.vocab(), "x")).containsExactly("▁", "x");
    }
  }

  @Test
  void aUserDefinedMarkerIsMergedLikeOtherText() throws IOException {
    sentencePiece();
    add("<|", NORMAL, -1);
    add("<|im_start|>", USER_DEFINED, 0);
    add("<b>", USER_DEFINED, 0);
    try (LlamaModel model = sentencePieceModel()) {
      Vocab vocab = model.vocab();
      assertThat(vocab.specialTokens()).extracting("text").contains("<|im_start|>");
      assertThat(texts(vocab, "<|im_start|>x"))
          .containsExactly("▁", "<|", "i", "m", "_", "s", "t", "a", "r", "t", "|", ">", "x");
      assertThat(texts(vocab, "s<b>s")).containsExactly("▁", "s", "<b>", "▁", "s");
      assertThat(vocab.tokenize("<|im_start|>", true)).hasSize(1);
    }
  }

  @Test
  void bytePairsAreMergedWithoutTheMergeThatEndsInAMarker() throws IOException {
    for (String text : List.of("endoftext", "<|im_end|>")) {
      tokens.clear();
      types.clear();
      List<String> merges = new ArrayList<>();
      for (int b = 0; b < 256; b++) {
        add(ByteAlphabet.of(new byte[] {(byte) b}), NORMAL, 0);
      }
      for (int i = 2; i < text.length(); i++) { // e n, en d, end o, …
        merges.add(text.substring(0, i - 1) + " " + text.charAt(i - 1));
        add(text.substring(0, i), NORMAL, 0);
      }
      merges.add(text.substring(0, text.length() - 1) + " " + text.charAt(text.length() - 1));
      add(text, CONTROL, 0);
      // a pre-tokenizer that does not split at punctuation, as far as there is one
      String pre = text.startsWith("<") ? "superbpe" : "gpt-2";
      try (LlamaModel model = bytePairs(pre, merges)) {
        Vocab vocab = model.vocab();
        int[] ids = vocab.tokenize("a " + text + " é", false);
        requireNoMarkers(vocab, ids);
        assertThat(VocabTest.text(vocab, ids)).isEqualTo("a " + text + " é");
        if (pre.equals("gpt-2")) {
          assertThat(texts(vocab, text)).containsExactly("endoftex", "t");
        }
      }
    }
  }

  @Test
  void aUserDefinedMarkerIsMergedFromBytePairs() throws IOException {
    for (int b = 0; b < 256; b++) {
      add(ByteAlphabet.of(new byte[] {(byte) b}), NORMAL, 0);
    }
    add("im", NORMAL, 0);
    add("<|im start|>", USER_DEFINED, 0);
    try (LlamaModel model = bytePairs("gpt-2", List.of("i m"))) {
      assertThat(texts(model.vocab(), "<|im start|>"))
          .containsExactly("<", "|", "im", "Ġ", "s", "t", "a", "r", "t", "|", ">");
    }
  }

  @Test
  void aTextThatOnlyAControlTokenSaysIsRefused() throws IOException {
    for (int b = 0; b < 256; b++) {
      add(ByteAlphabet.of(new byte[] {(byte) b}), b == 'q' ? CONTROL : NORMAL, 0);
    }
    try (LlamaModel model = bytePairs("gpt-2", List.of())) {
      assertThat(model.vocab().tokenize("abc", false)).hasSize(3);
      assertThatThrownBy(() -> model.vocab().tokenize("aqc", false))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("\"q\"")
          .hasMessageContaining("control token");
    }
  }

  @Test
  void theEndOfAnAnswerIsAMarkerAlsoWhereItsTypeIsNormal() throws IOException {
    sentencePiece();
    add("<e", NORMAL, -1);
    add("<eos>", NORMAL, 0);
    add("<eo", NORMAL, -1);
    add("<eos", NORMAL, -1);
    Path file = folder.resolve("eos.gguf");
    writer("llama").u32("tokenizer.ggml.eos_token_id", tokens.indexOf("<eos>")).write(file);
    try (LlamaModel model = LlamaModel.loadVocabulary(file)) {
      assertThat(texts(model.vocab(), "<eos>")).containsExactly("▁", "<eos", ">");
    }
  }

  @Test
  void randomTextsOfPiecesOfMarkersHaveNoMarkers() throws IOException {
    try (LlamaModel model = LlamaModel.loadVocabulary(MERGES_INTO_CONTROL)) {
      Vocab vocab = model.vocab();
      Random random = new Random(11);
      String[] parts = {"<", "s", ">", "/", "</", "s>", "<s>", "</s>", " ", "a", "<unk>", "é"};
      for (int i = 0; i < 2000; i++) {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(12); n >= 0; n--) {
          text.append(parts[random.nextInt(parts.length)]);
        }
        int[] ids = vocab.tokenize(text.toString(), false);
        requireNoMarkers(vocab, ids);
        assertThat(VocabTest.text(vocab, ids).strip()).isEqualTo(text.toString().strip());
      }
    }
  }

  @Test
  void tokenizersOfOtherKindsAreRefused() throws IOException {
    sentencePiece();
    for (String kind : List.of("rwkv", "bert")) {
      Path file = folder.resolve(kind + ".gguf");
      writer(kind).write(file);
      assertThatThrownBy(() -> LlamaModel.loadVocabulary(file))
          .isInstanceOf(LlamaException.class)
          .hasMessageContaining("not supported");
    }
  }

  private static void requireNoMarkers(Vocab vocab, int[] ids) {
    Set<Integer> markers =
        vocab.specialTokens().stream().map(Vocab.SpecialToken::id).collect(Collectors.toSet());
    assertThat(Arrays.stream(ids)).noneMatch(markers::contains);
    assertThat(Arrays.stream(ids)).noneMatch(vocab::isControl);
    assertThat(Arrays.stream(ids)).noneMatch(vocab::isEndOfGeneration);
  }

  private static List<String> texts(Vocab vocab, String text) {
    return Arrays.stream(vocab.tokenize(text, false)).mapToObj(vocab::text).toList();
  }

  private void add(String text, int type, float score) {
    tokens.add(text);
    types.add(type);
    scores.add(score);
  }

  private void sentencePiece() {
    add("<unk>", 2, 0);
    for (int b = 0; b < 256; b++) {
      add("<0x%02X>".formatted(b), 6, 0);
    }
    "▁<>/|_abeimorstx".chars().forEach(c -> add(Character.toString(c), NORMAL, -10));
  }

  private LlamaModel sentencePieceModel() throws IOException {
    Path file = folder.resolve("sentencepiece.gguf");
    writer("llama").write(file);
    return LlamaModel.loadVocabulary(file);
  }

  private LlamaModel bytePairs(String pre, List<String> merges) throws IOException {
    Path file = folder.resolve("pairs.gguf");
    writer("gpt2")
        .string("tokenizer.ggml.pre", pre)
        .strings("tokenizer.ggml.merges", merges)
        .write(file);
    return LlamaModel.loadVocabulary(file);
  }

  private GgufWriter writer(String kind) throws IOException {
    float[] values = new float[scores.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = scores.get(i);
    }
    try (GgufFile base = GgufFile.open(MERGES_INTO_CONTROL)) {
      String architecture = base.metadata().string("general.architecture");
      return new GgufWriter()
          .string("general.architecture", architecture)
          .string("tokenizer.ggml.model", kind)
          .strings("tokenizer.ggml.tokens", tokens)
          .ints("tokenizer.ggml.token_type", types.stream().mapToInt(i -> i).toArray())
          .floats("tokenizer.ggml.scores", values);
    }
  }
}
