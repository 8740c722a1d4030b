package dev.ocellus.tests.vlm.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.PersistentTensors;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.vlm.graph.GraphRun;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.Attention;
import dev.ocellus.vlm.nn.AttentionMask;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.ConvTranspose2d;
import dev.ocellus.vlm.nn.CrossAttention;
import dev.ocellus.vlm.nn.GroupNorm;
import dev.ocellus.vlm.nn.KeysValues;
import dev.ocellus.vlm.nn.KvCache;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.TextEmbedding;
import dev.ocellus.vlm.nn.Upsample;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Blocks beside PyTorch's numbers, which {@code make-torch-blocks.py} wrote. */
class BlocksTest {
  /** Two layers in F32; F16 anywhere would be off by 1e-3. */
  private static final float TOLERANCE = 5e-6f;

  private static final int WIDTH = 16;
  private static final int HEADS = 2;
  private static final int WIDE = 32;
  private static final int VOCAB = 11;
  private static final int POSITIONS = 8;
  private static final int[] IDS = {1, 5, 10, 0, 7, 7};

  private static final Map<String, float[]> EXPECTED = expected();

  @TempDir Path directory;

  private final GgufWriter writer = new GgufWriter().string("general.architecture", "test");
  private @Nullable GraphRunner runner;

  @AfterEach
  void close() {
    if (runner != null) {
      runner.close();
    }
  }

  private static Map<String, float[]> expected() {
    try (var file = BlocksTest.class.getResourceAsStream("torch-blocks.txt")) {
      Map<String, float[]> cases = new HashMap<>();
      for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
        String[] words = line.split(" ");
        float[] values = new float[words.length - 1];
        for (int i = 0; i < values.length; i++) {
          values[i] = Float.parseFloat(words[i + 1]);
        }
        cases.put(words[0], values);
      }
      return cases;
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** The same numbers as {@code fractions} of the script. */
  private static float[] fractions(int step, float divisor, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i * step % 101 - 50) / divisor;
    }
    return values;
  }

  private void weights(String name, int step, long... shape) {
    writer.tensor(name, fractions(step, 256, shape), shape);
  }

  /** Scales around one, as norms have them. */
  private void scales(String name, int step, long n) {
    float[] values = fractions(step, 256, n);
    for (int i = 0; i < values.length; i++) {
      values[i] += 1;
    }
    writer.tensor(name, values, n);
  }

  private void linear(String name, long nIn, long nOut, int step) {
    weights(name + ".weight", step, nIn, nOut);
    weights(name + ".bias", step + 2, nOut);
  }

  private void norm(String name, int step) {
    scales(name + ".weight", step, WIDTH);
    weights(name + ".bias", step + 2, WIDTH);
  }

  private void attention(String prefix, long nStates, int step) {
    linear(prefix + "attn_q", WIDTH, WIDTH, step);
    linear(prefix + "attn_k", nStates, WIDTH, step + 1);
    linear(prefix + "attn_v", nStates, WIDTH, step + 2);
    linear(prefix + "attn_out", WIDTH, WIDTH, step + 3);
  }

  private GraphRunner runner() {
    return Objects.requireNonNull(runner);
  }

  private <T> T open(Function<Weights, T> bind) throws IOException {
    Path file = directory.resolve("model.gguf");
    writer.write(file);
    runner = GraphRunner.open(file, RunnerOptions.cpu(2).withMaxPlans(2));
    T model = bind.apply(runner().weights());
    runner().load();
    return model;
  }

  private record Layer(LayerNorm norm1, Attention attention, LayerNorm norm2, Mlp mlp) {
    static Layer of(Weights w) {
      return new Layer(
          LayerNorm.of(w.at("ln1"), WIDTH, 1e-5f),
          Attention.of(w, WIDTH, HEADS),
          LayerNorm.of(w.at("ln2"), WIDTH, 1e-5f),
          Mlp.of(w, WIDTH, WIDE, Activation.QUICK_GELU));
    }

    Tensor forward(Tensor x, UnaryOperator<Tensor> attend) {
      Tensor y = x.add(attend.apply(norm1.forward(x)));
      return y.add(mlp.forward(norm2.forward(y)));
    }
  }

  private record Tower(TextEmbedding embedding, List<Layer> layers) {}

  private Tower tower() throws IOException {
    writer.tensor("token_embd.weight", fractions(23, 32, WIDTH, VOCAB), WIDTH, VOCAB);
    writer.tensor("position_embd.weight", fractions(41, 32, WIDTH, POSITIONS), WIDTH, POSITIONS);
    for (int layer = 0; layer < 2; layer++) {
      int step = 3 + 20 * layer;
      String prefix = "blk." + layer + ".";
      norm(prefix + "ln1", step);
      attention(prefix, WIDTH, step + 4);
      norm(prefix + "ln2", step + 8);
      linear(prefix + "ffn_up", WIDTH, WIDE, step + 10);
      linear(prefix + "ffn_down", WIDE, WIDTH, step + 12);
    }
    return open(w ->
        new Tower(
            TextEmbedding.of(w, WIDTH, VOCAB, POSITIONS),
            List.of(Layer.of(w.at("blk").at(0)), Layer.of(w.at("blk").at(1)))));
  }

  private static void isExpected(String name, float[] found) {
    assertThat(found)
        .as(name)
        .usingComparatorWithPrecision(TOLERANCE)
        .containsExactly(EXPECTED.get(name));
  }

  @Test
  void computesATextTower() throws IOException {
    Tower tower = tower();
    int n = IDS.length;
    int[] positions = IntStream.range(0, n).toArray();
    try (GraphRun run =
        runner()
            .start(
                n,
                graph -> {
                  Tensor places = graph.indexTable("positions", positions, POSITIONS);
                  Tensor x = tower.embedding().forward(graph.indices("ids", n, VOCAB), places);
                  var mask = AttentionMask.of(graph.table("mask", AttentionMask.causal(n), n, n));
                  for (Layer layer : tower.layers()) {
                    x = layer.forward(x, y -> layer.attention().forward(y, mask));
                  }
                  graph.output("hidden", x);
                })) {
      isExpected("tower", run.set("ids", IDS).compute().get("hidden"));
    }
  }

  /** Adds {@code ids} to what stands in the cache, and gives their hidden states. */
  private float[] decode(
      Tower tower, PersistentTensors state, KvCache cache, int nKeys, int nPast, int... ids) {
    int n = ids.length;
    try (GraphRun run =
        runner()
            .start(
                List.of(state, n, nKeys),
                graph -> {
                  Tensor places = graph.indices("places", n, POSITIONS);
                  Tensor x = tower.embedding().forward(graph.indices("ids", n, VOCAB), places);
                  var mask = AttentionMask.of(graph.input("mask", nKeys, n));
                  for (int i = 0; i < 2; i++) {
                    Layer layer = tower.layers().get(i);
                    KvCache.Layer rows = cache.layer(i);
                    x = layer.forward(x, y -> layer.attention().forward(y, rows, places, mask));
                  }
                  graph.output("hidden", x);
                })) {
      return run.set("ids", ids)
          .set("places", IntStream.range(nPast, nPast + n).toArray())
          .set("mask", AttentionMask.causal(n, nKeys, nPast))
          .compute()
          .get("hidden");
    }
  }

  /** A cache of 8 rows and of 64, where few queries of many keys take another kernel. */
  @ParameterizedTest
  @ValueSource(ints = {POSITIONS, 64})
  void decodesTokenByTokenWhatItComputesAtOnce(int nKeys) throws IOException {
    Tower tower = tower();
    PersistentTensors state = runner().newPersistentTensors();
    KvCache cache = KvCache.create(state, 2, WIDTH / HEADS, HEADS, 64, 1);
    state.allocate();
    for (int round = 0; round < 2; round++) { // the second writes over the first
      float[] all = new float[IDS.length * WIDTH];
      float[] prompt = decode(tower, state, cache, nKeys, 0, Arrays.copyOf(IDS, 3));
      System.arraycopy(prompt, 0, all, 0, prompt.length);
      for (int i = 3; i < IDS.length; i++) {
        System.arraycopy(decode(tower, state, cache, nKeys, i, IDS[i]), 0, all, i * WIDTH, WIDTH);
      }
      isExpected("tower", all);
    }
    state.close();
  }

  @Test
  void attendsToStatesOfSeveralLengths() throws IOException {
    attention("", 24, 5);
    CrossAttention attention = open(w -> CrossAttention.of(w, WIDTH, 24, HEADS));
    try (GraphRun run =
        runner()
            .start(
                0,
                graph -> {
                  Tensor x = graph.input("x", WIDTH, 3, 2);
                  KeysValues states = attention.keysValues(graph.input("states", 24, 5, 2));
                  float[] padding = AttentionMask.padding(3, 5, 5, 2);
                  var mask = AttentionMask.of(graph.table("mask", padding, 5, 3, 1, 2));
                  graph.output("y", attention.forward(x, states, mask));
                })) {
      run.set("x", fractions(37, 32, 2, 3, WIDTH)).set("states", fractions(31, 32, 2, 5, 24));
      isExpected("cross", run.compute().get("y"));
    }
  }

  private float[] onMaps(UnaryOperator<Tensor> block) {
    try (GraphRun run =
        runner()
            .start(block, graph -> graph.output("y", block.apply(graph.input("x", 5, 3, 4, 2))))) {
      return run.set("x", fractions(37, 32, 2, 4, 3, 5)).compute().get("y");
    }
  }

  @Test
  void computesBlocksOfFeatureMaps() throws IOException {
    weights("down.weight", 3, 3, 3, 4, 6);
    weights("down.bias", 5, 6);
    scales("norm.weight", 7, 4);
    weights("norm.bias", 9, 4);
    weights("up.conv.weight", 11, 3, 3, 4, 4);
    weights("up.conv.bias", 13, 4);
    weights("transposed.weight", 15, 4, 4, 3, 4);
    weights("transposed.bias", 17, 3);
    record Blocks(Conv2d conv, GroupNorm norm, Upsample up, ConvTranspose2d two) {}
    Blocks blocks =
        open(w ->
            new Blocks(
                Conv2d.of(w.at("down"), 3, 4, 6, ConvGeometry.of(2, 1)),
                GroupNorm.of(w.at("norm"), 4, 2, 1e-6f),
                Upsample.of(w.at("up"), 4),
                ConvTranspose2d.of(w.at("transposed"), 4, 4, 3, 2, 1)));
    isExpected("conv", onMaps(blocks.conv()::forward));
    isExpected("groupnorm", onMaps(blocks.norm()::forward));
    isExpected("upsample", onMaps(blocks.up()::forward));
    isExpected("transposed.2", onMaps(blocks.two()::forward));
  }

  @Test
  void spreadsMapsForLargerStrides() throws IOException {
    weights("transposed.weight", 15, 4, 4, 3, 4);
    weights("transposed.bias", 17, 3);
    ConvTranspose2d block = open(w -> ConvTranspose2d.of(w.at("transposed"), 4, 4, 3, 3, 0));
    isExpected("transposed.3", onMaps(block::forward));
  }

  @Test
  void namesTheWeightThatABlockLacks() throws IOException {
    linear("attn_q", WIDTH, WIDTH, 3);
    assertThatThrownBy(() -> open(w -> CrossAttention.of(w, WIDTH, 24, HEADS)))
        .hasMessageContaining("attn_k.weight");
  }
}
