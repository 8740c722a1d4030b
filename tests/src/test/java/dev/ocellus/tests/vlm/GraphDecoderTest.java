package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.decode.GraphDecoder;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.model.text.LlamaGraph;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.options.Speculation;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A text model as a graph of ours gives what libllama gives, and a session does not care. */
class GraphDecoderTest {
  /** libllama rounds activations to F16 where the weights are F16. */
  private static final float LOGIT = 2e-2f;

  private static final RunnerOptions ONE_THREAD = RunnerOptions.cpu(1).withMaxPlans(4);

  private static CancellationFlag never() {
    return new CancellationFlag();
  }

  private static final GenerationOptions TWELVE =
      GenerationOptions.greedy().withMaxTokens(12).withIgnoreEos(true);

  private static ContextOptions context(int nCtx) {
    return Golden.context(nCtx).withBatch(32, 16).withCache(TensorType.F32, TensorType.F32);
  }

  private static LlamaDecoder llama() throws IOException {
    return new LlamaDecoder(LlamaModel.load(Golden.TEXT, ModelOptions.defaults()));
  }

  private static GraphDecoder graph() throws IOException {
    return LlamaGraph.open(Golden.TEXT, ONE_THREAD);
  }

  private static void assertLogits(KvSequence found, KvSequence expected, int output) {
    float[] wanted = expected.logits(output);
    float[] logits = found.logits(output);
    assertThat(logits).hasSameSizeAs(wanted);
    for (int i = 0; i < wanted.length; i++) {
      assertThat(logits[i]).as("logit %d", i).isCloseTo(wanted[i], within(LOGIT));
    }
  }

  @Test
  void computesTheLogitsOfLibllama() throws IOException {
    int[] ids = new Random(7).ints(90, 0, 480).toArray();
    try (LlamaDecoder llama = llama();
        GraphDecoder graph = graph();
        KvSequence expected = llama.newSequence(context(128).withOutputs(8));
        KvSequence found = graph.newSequence(context(128))) {
      for (int from = 0; from < ids.length; from += 30) { // two micro-batches each
        for (KvSequence sequence : List.of(expected, found)) {
          sequence.decodeTokens(ids, from, 30, from, 3, never());
        }
        for (int output = 0; output < 3; output++) {
          assertLogits(found, expected, output);
        }
      }
      for (KvSequence sequence : List.of(expected, found)) {
        assertThat(sequence.removeFrom(40)).isTrue();
        sequence.decodeTokens(ids, 3, 1, 40, 1, never());
      }
      assertLogits(found, expected, 0);
    }
  }

  private static EncodedImage image(int n, int width) {
    float[] rows = new float[n * width];
    Random random = new Random(3);
    IntStream.range(0, rows.length).forEach(i -> rows[i] = (float) random.nextGaussian() / 20);
    return new EncodedImage(rows, n, width, List.of(ImagePiece.Embeddings.of(n)));
  }

  @Test
  void computesEmbeddingsWithAndWithoutACausalMask() throws IOException {
    try (LlamaDecoder llama = llama();
        GraphDecoder graph = graph()) {
      EncodedImage image = image(12, graph.embeddingWidth());
      int[][] positions = IntStream.range(2, 12).mapToObj(i -> new int[] {i}).toArray(int[][]::new);
      for (boolean causal : new boolean[] {true, false}) {
        try (KvSequence expected = llama.newSequence(context(64));
            KvSequence found = graph.newSequence(context(64))) {
          for (KvSequence sequence : List.of(expected, found)) {
            sequence.decodeTokens(new int[] {5, 6}, 0, 2, 0, 0, never());
            sequence.decodeEmbeddings(image, 2, positions, causal, true, never());
          }
          assertLogits(found, expected, 0);
        }
      }
    }
  }

  @Test
  void takesBackWhatWasCancelledAndRefusesWhatDoesNotFit() throws IOException {
    int[] ids = IntStream.range(0, 40).toArray();
    try (GraphDecoder graph = graph();
        KvSequence sequence = graph.newSequence(context(32))) {
      CancellationFlag cancelled = new CancellationFlag();
      cancelled.cancel();
      assertThatThrownBy(() -> sequence.decodeTokens(ids, 0, 8, 0, 1, cancelled))
          .isInstanceOf(ComputationCancelledException.class);
      sequence.decodeTokens(ids, 0, 8, 0, 1, never());
      assertThatThrownBy(() -> sequence.decodeTokens(ids, 0, 25, 8, 1, never()))
          .isInstanceOf(ContextOverflowException.class);
      assertThatThrownBy(() -> sequence.decodeTokens(ids, 0, 4, 9, 1, never()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected 8");
      sequence.decodeTokens(ids, 8, 24, 8, 1, never());
    }
  }

  @Test
  void refusesOtherArchitectures() {
    assertThatThrownBy(
            () -> LlamaGraph.open(Path.of("golden/models/qwen2-vl/gguf/text.gguf"), ONE_THREAD))
        .isInstanceOf(UnsupportedArchitectureException.class)
        .hasMessageContaining("qwen2vl");
  }

  private static LoadOptions options(SessionOptions sessions) {
    return Golden.options().withContextOptions(context(512)).withSessions(sessions);
  }

  private static List<Answer> converse(VisionLanguageModel model, Path saved) throws IOException {
    List<Answer> answers = new ArrayList<>();
    try (ChatSession chat = model.newChat();
        ChatSession other = model.newChat()) {
      Message question = Message.user("What is it?", Golden.image("exact_56x56.png"));
      answers.add(chat.send(question, TWELVE, AnswerListener.NONE));
      answers.add(other.send(Message.user("Hello"), TWELVE, AnswerListener.NONE));
      answers.add(chat.send(Message.user("And now?"), TWELVE, AnswerListener.NONE));
      chat.undo();
      answers.add(chat.send(Message.user("Or this?"), TWELVE, AnswerListener.NONE));
      chat.save(saved);
      chat.clear();
      chat.restore(saved);
      answers.add(chat.send(Message.user("Still?"), TWELVE, AnswerListener.NONE));
    }
    return answers;
  }

  private static void assertSameAnswers(SessionOptions sessions, Path folder) throws IOException {
    LoadOptions options = options(sessions);
    try (VisionLanguageModel llama = VisionLanguageModel.open(options);
        VisionLanguageModel graph =
            VisionLanguageModel.of(
                Pipeline.open(options, o -> LlamaGraph.open(o.model(), ONE_THREAD)))) {
      List<Answer> expected = converse(llama, folder.resolve("llama.session"));
      List<Answer> found = converse(graph, folder.resolve("graph.session"));
      for (int i = 0; i < expected.size(); i++) {
        assertThat(found.get(i).tokens()).as("answer %d", i).isEqualTo(expected.get(i).tokens());
        assertThat(found.get(i).rawText()).isEqualTo(expected.get(i).rawText());
      }
      assertThat(found.get(2).usage().cachedTokens())
          .isEqualTo(expected.get(2).usage().cachedTokens())
          .isPositive();
    }
  }

  @Test
  void answersInSessionsAsLibllamaDoes(@TempDir Path folder) throws IOException {
    assertSameAnswers(SessionOptions.defaults(), folder);
  }

  @Test
  void answersInParallelSessionsWithDraftTokensAsLibllamaDoes(@TempDir Path folder)
      throws IOException {
    SessionOptions sessions =
        SessionOptions.defaults().withParallel(2).withSpeculation(Speculation.byLookup());
    assertSameAnswers(sessions, folder);
  }
}
