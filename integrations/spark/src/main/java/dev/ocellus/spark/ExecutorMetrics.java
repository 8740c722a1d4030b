package dev.ocellus.spark;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.Meter;
import com.codahale.metrics.MetricRegistry;

/**
 * What this executor has done since it began, for Spark's metrics system: {@link OcellusPlugin}
 * registers them. Meters have rates per second.
 */
final class ExecutorMetrics {
  private static final Meter IMAGES = new Meter();
  private static final Meter PROMPT_TOKENS = new Meter();
  private static final Meter COMPLETION_TOKENS = new Meter();
  private static final Counter FAILURES = new Counter();
  private static final Counter DECODE_FAILURES = new Counter();
  private static final Counter CACHE_HITS = new Counter();

  private ExecutorMetrics() {}

  static void count(RowOutcome outcome) {
    IMAGES.mark();
    PROMPT_TOKENS.mark(outcome.seen().promptTokens());
    COMPLETION_TOKENS.mark(outcome.seen().completionTokens());
    CACHE_HITS.inc(outcome.seen().cacheHits());
    RowFailure failure = outcome.failure();
    if (failure != null) {
      FAILURES.inc();
      if (failure.code().isDecoding()) {
        DECODE_FAILURES.inc();
      }
    }
  }

  static void register(MetricRegistry registry) {
    registry.register("images", IMAGES);
    registry.register("promptTokens", PROMPT_TOKENS);
    registry.register("completionTokens", COMPLETION_TOKENS);
    registry.register("failures", FAILURES);
    registry.register("decodeFailures", DECODE_FAILURES);
    registry.register("cacheHits", CACHE_HITS);
    registry.register("models", (Gauge<Integer>) LoadedModels::count);
  }
}
