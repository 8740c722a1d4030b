package dev.ocellus.tests.bench;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.SamplingOptions;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The time to choose one token of a large vocabulary. Logits are native, as a model leaves them.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class SamplingBenchmark {
  /** The vocabulary of Qwen2 and its successors. */
  private static final int VOCABULARY = 151_936;

  /** Different logits in turn, so that branches cannot be learnt. */
  private static final int DIFFERENT = 16;

  private final FloatBuffer[] logits = new RandomLogits(VOCABULARY).next(DIFFERENT);
  private int turn;

  /** llama.cpp's defaults: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8. */
  private final SamplerChain usual = SamplingOptions.builder().seed(1).build().toChain();

  private final SamplerChain penalized =
      SamplingOptions.builder().seed(1).repeatPenalty(1.1f).build().toChain();

  private final SamplerChain withoutTopK =
      SamplingOptions.builder().seed(1).topK(0).build().toChain();

  private final SamplerChain greedy = SamplingOptions.greedy().toChain();

  private final WideModel theirs;
  private final MemorySegment theirChain;

  public SamplingBenchmark() {
    theirs = new WideModel(DIFFERENT);
    for (int i = 0; i < DIFFERENT; i++) {
      theirs.put(i, logits[i]);
    }
    theirChain = theirs.chain(MemorySegment.NULL);
  }

  @TearDown
  public void close() throws IOException {
    ggml_h.llama_sampler_free(theirChain);
    theirs.close();
  }

  private FloatBuffer next() {
    turn = (turn + 1) % DIFFERENT;
    return logits[turn];
  }

  @Benchmark
  public int usualChain() {
    return usual.sample(next());
  }

  /** The same chain in llama.cpp. */
  @Benchmark
  public int usualChainOfLlamaCpp() {
    turn = (turn + 1) % DIFFERENT;
    return theirs.sample(theirChain, turn);
  }

  @Benchmark
  public int usualChainWithPenalties() {
    return penalized.sample(next());
  }

  @Benchmark
  public int chainWithoutTopK() {
    return withoutTopK.sample(next());
  }

  @Benchmark
  public int greedy() {
    return greedy.sample(next());
  }

  @Benchmark
  public TopLogProbs topLogProbs() {
    return TopLogProbs.of(next(), 10, 0);
  }
}
