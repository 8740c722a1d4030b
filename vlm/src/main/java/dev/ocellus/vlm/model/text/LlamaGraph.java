package dev.ocellus.vlm.model.text;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.decode.GraphDecoder;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Rope;
import java.io.IOException;
import java.nio.file.Path;

/**
 * LLaMA (arXiv:2302.13971) with grouped queries (arXiv:2305.13245): pre-norm layers with rotary
 * positions and gated feed-forward blocks, from GGUF files of the architecture {@code llama}.
 * Reference: <a
 * href="https://github.com/huggingface/transformers/blob/v4.57.1/src/transformers/models/llama/modeling_llama.py">transformers</a>.
 *
 * <p>Conversations compute such files with libllama, which is faster. This is the pattern for text
 * models that libllama does not know, and shows that a session does not care.
 */
public final class LlamaGraph extends RotaryDecoder {
  private static final String ARCHITECTURE = "llama";

  private final float theta;

  private LlamaGraph(GgufMetadata metadata, Weights w) {
    super(ARCHITECTURE, metadata, w);
    theta = config.positive("rope.freq_base", 10000);
    int turned = config.integer("rope.dimension_count", 2, MAX, headWidth());
    boolean known =
        turned == headWidth()
            && !w.has("rope_freqs.weight")
            && metadata.string("llama.rope.scaling.type", "none").equals("none")
            && metadata.integer("llama.expert_count", 0) == 0;
    if (!known) {
      throw new UnsupportedArchitectureException(
          "This graph of llama has no scaled or partial rotary positions and no experts, which the file asks for. Open it with libllama.");
    }
  }

  /**
   * Opens a file.
   *
   * @throws UnsupportedArchitectureException if it is of another architecture, or asks for what
   *     this graph does not have
   */
  public static GraphDecoder open(Path file, RunnerOptions options) throws IOException {
    GraphRunner runner = GraphRunner.open(file, options);
    try {
      GgufMetadata metadata = runner.file().metadata();
      String architecture = metadata.string("general.architecture", "");
      if (!architecture.equals(ARCHITECTURE)) {
        throw new UnsupportedArchitectureException(
            "%s: expected the architecture llama, found '%s'".formatted(file, architecture));
      }
      LlamaGraph graph = new LlamaGraph(metadata, runner.weights());
      runner.load();
      return new GraphDecoder(runner, graph, LlamaModel.loadVocabulary(file));
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
  }

  @Override
  Positions positions(ModelGraph graph, long n, AttentionMask all) {
    int half = headWidth() / 2;
    Rope rope = new Rope(graph.input("cos", half, 1, 1, n), graph.input("sin", half, 1, 1, n));
    return Positions.turning(rope::forward, all);
  }

  @Override
  public void setPositions(GraphRun run, int[] positions) {
    Rope.Tables tables = Rope.Tables.of(headWidth(), positions, theta);
    run.set("cos", tables.cos()).set("sin", tables.sin());
  }
}
