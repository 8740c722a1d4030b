package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.tests.TinyTextModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sequences of models with recurrent states have the logits that they have alone. */
class RecurrentBatchesTest {
  private static final int SEQUENCES = 3;
  private static final Offset<Float> NEAR = Offset.offset(0.01f);

  /** Tokens of each sequence in each batch. */
  private static final List<int[][]> STEPS =
      List.of(
          new int[][] {{5, 5, 0}},
          new int[][] {{5, 9, 3}, {1, 1, 1}},
          new int[][] {{9, 0, 0}, {0, 5, 4}, {1, 3, 1}, {1, 0, 1}, {0, 1, 1}});

  @TempDir static Path directory;

  static Stream<String> models() {
    return TinyTextModel.HYBRID.stream().sorted();
  }

  @ParameterizedTest
  @MethodSource("models")
  void computesThemTogetherAsAlone(String name) throws IOException {
    Path file = TinyTextModel.write(directory.resolve(name + ".gguf"), name);
    try (LlamaModel model = LlamaModel.load(file, ModelOptions.defaults())) {
      for (int[][] steps : STEPS) {
        float[][] together = logits(model, steps);
        for (int sequence = 0; sequence < SEQUENCES; sequence++) {
          float[] alone = logits(model, only(steps, sequence))[sequence];
          assertThat(together[sequence]).as("sequence %d", sequence).containsExactly(alone, NEAR);
        }
      }
    }
  }

  private static int[][] only(int[][] steps, int sequence) {
    int[][] out = new int[steps.length][SEQUENCES];
    for (int i = 0; i < steps.length; i++) {
      out[i][sequence] = steps[i][sequence];
    }
    return out;
  }

  /** Those after the last token of each sequence. */
  private static float[][] logits(LlamaModel model, int[][] steps) {
    float[][] logits = new float[SEQUENCES][model.vocab().nTokens()];
    int[] position = new int[SEQUENCES];
    ContextOptions options =
        ContextOptions.defaults()
            .withContext(256)
            .withSequences(SEQUENCES)
            .withOutputs(SEQUENCES)
            .withThreads(1, 1)
            .withCache(TensorType.F32, TensorType.F32);
    try (LlamaContext context = model.newContext(options);
        Batch batch = Batch.ofTokens(64)) {
      for (int[] step : steps) {
        batch.clear();
        List<int[]> outputs = new ArrayList<>();
        for (int sequence = 0; sequence < SEQUENCES; sequence++) {
          for (int i = 1; i <= step[sequence]; i++) {
            boolean last = i == step[sequence];
            int token = 10 + (7 * position[sequence] + 13 * sequence) % 200;
            if (last) {
              outputs.add(new int[] {sequence, batch.size()});
            }
            batch.add(token, position[sequence]++, sequence, last);
          }
        }
        if (batch.size() > 0) {
          context.decode(batch, new CancellationFlag());
        }
        outputs.forEach(o -> context.logits(o[1], logits[o[0]]));
      }
    }
    return logits;
  }
}
