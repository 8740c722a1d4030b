package dev.ocellus.vlm.model.text;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Rope2d;
import java.util.Arrays;

/**
 * The language model of HunyuanOCR (arXiv:2511.19575), from GGUF files of the architecture {@code
 * hunyuan_vl}: rotary positions with four axes, and norms of queries and keys behind them.
 *
 * <p>libllama has this architecture, but not its positions as the reference has them. There, tokens
 * have a position on the fourth axis too, where libllama takes 0; and the axes change with the
 * elements of a head, so that the two that are turned together may be turned by different angles,
 * where libllama turns both by that of the first. Both are the same where there are no images.
 *
 * <p>The reference is {@code HunYuanVLTextModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/hunyuan_vl/modeling_hunyuan_vl.py">modeling_hunyuan_vl.py</a>.
 */
final class HunyuanVlGraph extends RotaryDecoder {
  static final String ARCHITECTURE = "hunyuan_vl";

  private static final int AXES = 4;

  /** Axis of every element of a head. */
  private final int[] axes;

  private final float[] frequencies;

  HunyuanVlGraph(GgufMetadata metadata, Weights w) {
    super(ARCHITECTURE, metadata, w);
    requireKnown(metadata, w);
    axes = axes(metadata);
    int half = headWidth() / 2;
    frequencies = new float[half];
    double base = base(metadata);
    for (int i = 0; i < half; i++) {
      frequencies[i] = 1 / (float) Math.pow(base, (float) (2 * i) / headWidth());
    }
  }

  private static void requireKnown(GgufMetadata metadata, Weights w) {
    boolean known =
        metadata.string(ARCHITECTURE + ".rope.scaling.type", "none").equals("none")
            && !w.has("rope_freqs.weight")
            && metadata.integer(ARCHITECTURE + ".expert_count", 0) <= 1;
    if (!known) {
      throw new UnsupportedArchitectureException(
          "This graph of hunyuan_vl has no scaled rotary positions but those of its own and no experts, which the file asks for.");
    }
  }

  /** The base of the frequencies, scaled by alpha as long contexts want it. */
  private double base(GgufMetadata metadata) {
    double base = config.positive("rope.freq_base", 10000);
    float alpha = metadata.f32(ARCHITECTURE + ".rope.scaling.alpha", 0);
    if (alpha == 0) {
      return base;
    }
    if (headWidth() <= 2) {
      throw config.invalid("attention.key_length", "more than 2", "" + headWidth());
    }
    return base
        * Math.pow(
            config.positive("rope.scaling.alpha", 1), (double) headWidth() / (headWidth() - 2));
  }

  /** Twice a section's number of elements each, one section after the other. */
  private int[] axes(GgufMetadata metadata) {
    String key = "rope.dimension_sections";
    long[] sections =
        metadata.findIntegers(ARCHITECTURE + "." + key).orElse(new long[] {headWidth() / 2});
    long sum = 0;
    for (long section : sections) {
      if (section < 0 || section > headWidth()) {
        throw config.invalid(key, "numbers from 0 to " + headWidth(), Arrays.toString(sections));
      }
      sum += 2 * section;
    }
    if (sections.length > AXES || sum != headWidth()) {
      throw config.invalid(
          key, "at most four numbers whose sum is " + headWidth() / 2, Arrays.toString(sections));
    }
    int[] result = new int[headWidth()];
    int at = 0;
    for (int axis = 0; axis < sections.length; axis++) {
      int end = at + 2 * (int) sections[axis];
      Arrays.fill(result, at, end, axis);
      at = end;
    }
    return result;
  }

  @Override
  public int nPositions() {
    return AXES;
  }

  @Override
  Positions positions(ModelGraph graph, long n, AttentionMask all) {
    Rope2d rope =
        new Rope2d(graph.input("cos", headWidth(), 1, n), graph.input("sin", headWidth(), 1, n));
    return Positions.turning(rope::forward, all);
  }

  @Override
  public void setPositions(GraphRun run, int[] positions) {
    int[][] onAxes = new int[positions.length][];
    for (int i = 0; i < onAxes.length; i++) {
      onAxes[i] = new int[AXES];
      Arrays.fill(onAxes[i], positions[i]);
    }
    setPositions(run, onAxes);
  }

  @Override
  public void setPositions(GraphRun run, int[][] positions) {
    int width = headWidth();
    int half = width / 2;
    float[] cos = new float[Math.multiplyExact(positions.length, width)];
    float[] sin = new float[cos.length];
    for (int row = 0; row < positions.length; row++) {
      for (int i = 0; i < width; i++) {
        float angle = positions[row][axes[i]] * frequencies[i % half];
        cos[row * width + i] = (float) Math.cos(angle);
        float turned = (float) Math.sin(angle);
        sin[row * width + i] = i < half ? -turned : turned;
      }
    }
    run.set("cos", cos).set("sin", sin);
  }
}
