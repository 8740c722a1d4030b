package dev.ocellus.vlm.model.text;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.WeightShapeException;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.ModelGraph;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Rope;
import dev.ocellus.vlm.nn.ScoredExperts;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The language model of Llama 4, from GGUF files of the architecture {@code llama4}: most layers
 * turn heads by positions and attend within chunks of the text, the others do neither and have
 * their queries scaled with the length of the text instead; experts in some or all layers.
 *
 * <p>libllama has the architecture, but fixed to the numbers of the published models. Files that
 * say others, in keys of ours, are computed here (docs/decisions/0016).
 *
 * <p>The reference is {@code Llama4TextModel} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/llama4/modeling_llama4.py">modeling_llama4.py</a>.
 */
final class Llama4Graph extends RotaryDecoder {
  static final String ARCHITECTURE = "llama4";

  private static final String CHUNK = "attention.chunk_size";
  private static final String TEMPERATURE_LENGTH = "attention.temperature_length";
  private static final String TEMPERATURE_SCALE = "attention.temperature_scale";
  private static final String HEADS_NORMED = "attention.heads_normed";
  private static final String CHUNKED_LAYERS = "attention.chunked_layers";
  private static final String TURNED_LAYERS = "rope.layers";

  /** What files say that libllama would not compute as they mean it. */
  private static final List<String> OWN_KEYS =
      List.of(
          CHUNK,
          TEMPERATURE_LENGTH,
          TEMPERATURE_SCALE,
          HEADS_NORMED,
          CHUNKED_LAYERS,
          TURNED_LAYERS);

  private static final String FACTORS = "rope_freqs.weight";

  private static final int USUAL_LENGTH = 8192;
  private static final float USUAL_SCALE = 0.1f;

  /** Every so many layers one is not turned. */
  private static final int INTERVAL = 4;

  /** The published model of so many experts norms no heads, all others do. */
  private static final int EXPERTS_WITHOUT_NORM = 128;

  private final boolean[] turned;
  private final boolean[] chunked;
  private final int chunk;
  private final int temperatureLength;
  private final float temperatureScale;
  private final boolean headsNormed;
  private final float[] frequencies;

  Llama4Graph(GgufFile file, Weights w) {
    super(ARCHITECTURE, file.metadata(), w, Llama4Graph::feedForward);
    GgufMetadata metadata = file.metadata();
    String scaling = metadata.string(ARCHITECTURE + ".rope.scaling.type", "none");
    int nTurned = config.integer("rope.dimension_count", 2, MAX, headWidth());
    if (!scaling.equals("none") || nTurned != headWidth()) {
      throw new UnsupportedArchitectureException(
          "This graph of llama4 has no scaled rotary positions but those of Llama 3.1 and no partial ones, which the file asks for (rope.scaling.type %s, rope.dimension_count %d of %d)."
              .formatted(scaling, nTurned, headWidth()));
    }
    turned = layers(metadata, TURNED_LAYERS, i -> (i + 1) % INTERVAL != 0);
    chunked = layers(metadata, CHUNKED_LAYERS, i -> turned[i]);
    chunk = config.integer(CHUNK, 1, Integer.MAX_VALUE, USUAL_LENGTH);
    temperatureLength = config.integer(TEMPERATURE_LENGTH, 1, Integer.MAX_VALUE, USUAL_LENGTH);
    temperatureScale = metadata.f32(ARCHITECTURE + "." + TEMPERATURE_SCALE, USUAL_SCALE);
    if (!Float.isFinite(temperatureScale)) {
      throw config.invalid(TEMPERATURE_SCALE, "a finite number", "" + temperatureScale);
    }
    int nExperts = metadata.int32(ARCHITECTURE + ".expert_count", 0);
    headsNormed =
        metadata.bool(ARCHITECTURE + "." + HEADS_NORMED, nExperts != EXPERTS_WITHOUT_NORM);
    frequencies = frequencies(file);
  }

  /** Whether a file of this architecture is for this graph, and not for libllama's. */
  static boolean isOwn(GgufMetadata metadata) {
    return OWN_KEYS.stream().anyMatch(key -> metadata.contains(ARCHITECTURE + "." + key));
  }

  /** Experts where a layer has a router. */
  private static UnaryOperator<Tensor> feedForward(ConfigReader c, DecoderSizes sizes, Weights w) {
    if (!w.has("ffn_gate_inp.weight")) {
      return gated(c, sizes, w);
    }
    int nExperts = c.integer("expert_count", 1, MAX);
    return ScoredExperts.of(
            w,
            sizes.width(),
            c.integer("expert_feed_forward_length", 1, MAX),
            nExperts,
            c.integer("expert_used_count", 1, nExperts))
        ::forward;
  }

  private interface OfLayer {
    boolean of(int layer);
  }

  /** A list of 0 and 1, one for each layer. */
  private boolean[] layers(GgufMetadata metadata, String key, OfLayer usual) {
    long[] found = metadata.findIntegers(ARCHITECTURE + "." + key).orElse(null);
    boolean[] out = new boolean[nLayers()];
    if (found != null
        && (found.length != out.length || Arrays.stream(found).anyMatch(n -> n < 0 || n > 1))) {
      throw config.invalid(key, "%d times 0 or 1".formatted(out.length), Arrays.toString(found));
    }
    for (int i = 0; i < out.length; i++) {
      out[i] = found == null ? usual.of(i) : found[i] == 1;
    }
    return out;
  }

  /** Those of the base, by what Llama 3.1 divides them by where the file has it. */
  private float[] frequencies(GgufFile file) {
    int half = headWidth() / 2;
    double base = config.positive("rope.freq_base", 500_000);
    float[] factors = file.findTensor(FACTORS).map(GgufTensor::floats).orElse(new float[0]);
    if (factors.length != 0 && factors.length != half) {
      throw new WeightShapeException(
          "%s: %s: expected %d numbers, found %d"
              .formatted(file.path(), FACTORS, half, factors.length));
    }
    float[] out = new float[half];
    for (int i = 0; i < half; i++) {
      float frequency = 1 / (float) Math.pow(base, (float) (2 * i) / headWidth());
      out[i] = factors.length == 0 ? frequency : frequency / factors[i];
    }
    return out;
  }

  private static boolean any(boolean[] layers, boolean value) {
    return IntStream.range(0, layers.length).anyMatch(i -> layers[i] == value);
  }

  /** Only inputs that some layer reads, as others could not be set. */
  @Override
  Positions positions(ModelGraph graph, long n, AttentionMask all) {
    int half = headWidth() / 2;
    Rope rope =
        any(turned, true)
            ? new Rope(graph.input("cos", half, 1, 1, n), graph.input("sin", half, 1, 1, n))
            : null;
    Tensor scale = any(turned, false) ? graph.input("temperature", 1, 1, n) : null;
    AttentionMask inChunk =
        any(chunked, true) ? all.and(graph.input("chunk mask", all.nKeys(), n)) : all;
    return new Positions() {
      @Override
      public Tensor query(int layer, Tensor query) {
        return turned[layer] || scale == null ? key(layer, query) : query.mul(scale);
      }

      @Override
      public Tensor key(int layer, Tensor key) {
        if (!turned[layer] || rope == null) {
          return key;
        }
        Tensor out = rope.forward(key);
        return headsNormed ? out.rmsNorm(sizes.eps()) : out;
      }

      @Override
      public AttentionMask mask(int layer) {
        return chunked[layer] ? inChunk : all;
      }
    };
  }

  @Override
  public void setPositions(GraphRun run, int[] positions) {
    if (any(turned, true)) {
      Rope.Tables tables = Rope.Tables.of(positions, frequencies);
      run.set("cos", tables.cos()).set("sin", tables.sin());
    }
    if (any(turned, false)) {
      run.set("temperature", temperatures(positions));
    }
  }

  private float[] temperatures(int[] positions) {
    float[] out = new float[positions.length];
    for (int i = 0; i < out.length; i++) {
      float steps = (float) Math.floor((positions[i] + 1.0f) / temperatureLength);
      out[i] = (float) Math.log1p(steps) * temperatureScale + 1;
    }
    return out;
  }

  /** Keys of chunks before a row's are hidden. */
  @Override
  public void setKeys(GraphRun run, int[] positions, int[] keyPositions) {
    if (!any(chunked, true)) {
      return;
    }
    int nKeys = keyPositions.length;
    float[] mask = new float[Math.multiplyExact(positions.length, nKeys)];
    for (int row = 0; row < positions.length; row++) {
      int first = positions[row] / chunk * chunk;
      for (int key = 0; key < nKeys; key++) {
        mask[row * nKeys + key] = keyPositions[key] < first ? Float.NEGATIVE_INFINITY : 0;
      }
    }
    run.set("chunk mask", mask);
  }
}
