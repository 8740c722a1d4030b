package dev.ocellus.tests.bench;

import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.SamplingOptions;
import dev.ocellus.vlm.sampling.TopLogProbs;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
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

  private final FloatBuffer[] logits = new FloatBuffer[DIFFERENT];
  private int turn;

  /** llama.cpp's defaults: top-k 40, top-p 0.95, min-p 0.05, temperature 0.8. */
  private final SamplerChain usual = SamplingOptions.builder().seed(1).build().toChain();

  private final SamplerChain penalized =
      SamplingOptions.builder().seed(1).repeatPenalty(1.1f).build().toChain();

  private final SamplerChain withoutTopK =
      SamplingOptions.builder().seed(1).topK(0).build().toChain();

  private final SamplerChain greedy = SamplingOptions.greedy().toChain();

  public SamplingBenchmark() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < DIFFERENT; i++) {
      FloatBuffer buffer =
          ByteBuffer.allocateDirect(4 * VOCABULARY).order(ByteOrder.nativeOrder()).asFloatBuffer();
      for (int t = 0; t < VOCABULARY; t++) {
        double gauss =
            Math.sqrt(-2 * Math.log(1 - random.nextDouble()))
                * Math.cos(2 * Math.PI * random.nextDouble());
        buffer.put(t, (float) (3 * gauss));
      }
      logits[i] = buffer;
    }
  }

  private FloatBuffer next() {
    turn = (turn + 1) % DIFFERENT;
    return logits[turn];
  }

  @Benchmark
  public int usualChain() {
    return usual.sample(next());
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
