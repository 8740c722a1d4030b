package dev.ocellus.spark;

import java.io.Serializable;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.util.LongAccumulator;

/**
 * Counts rows in Spark's accumulators, which its user interface shows. A row that Spark computes
 * twice, as an executor was lost or its result was not kept, is counted twice.
 */
public final class JobProgress implements Serializable {
  private static final long serialVersionUID = 1;

  private final LongAccumulator images;
  private final LongAccumulator failures;
  private final LongAccumulator decodeFailures;
  private final LongAccumulator promptTokens;
  private final LongAccumulator completionTokens;
  private final LongAccumulator cacheHits;

  private JobProgress(SparkContext context, String name) {
    images = context.longAccumulator(name + ": images");
    failures = context.longAccumulator(name + ": failures");
    decodeFailures = context.longAccumulator(name + ": decode failures");
    promptTokens = context.longAccumulator(name + ": prompt tokens");
    completionTokens = context.longAccumulator(name + ": completion tokens");
    cacheHits = context.longAccumulator(name + ": cache hits");
  }

  /**
   * New counters.
   *
   * @param name what the user interface calls them
   */
  public static JobProgress of(SparkSession spark, String name) {
    return new JobProgress(spark.sparkContext(), name);
  }

  void count(RowOutcome outcome) {
    images.add(1);
    promptTokens.add(outcome.seen().promptTokens());
    completionTokens.add(outcome.seen().completionTokens());
    cacheHits.add(outcome.seen().cacheHits());
    RowFailure failure = outcome.failure();
    if (failure != null) {
      failures.add(1);
      decodeFailures.add(failure.code().isDecoding() ? 1 : 0);
    }
  }

  /** Rows that are done, failed ones included. */
  public long images() {
    return images.value();
  }

  /** Rows without a result. */
  public long failures() {
    return failures.value();
  }

  /** Those whose files were read, but were no images that can be decoded. */
  public long decodeFailures() {
    return decodeFailures.value();
  }

  /** Tokens of prompts, images included. */
  public long promptTokens() {
    return promptTokens.value();
  }

  /** Tokens of answers. */
  public long completionTokens() {
    return completionTokens.value();
  }

  /** Images that needed no encoding, as the same pixels were encoded before. */
  public long cacheHits() {
    return cacheHits.value();
  }
}
