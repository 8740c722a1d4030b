package dev.ocellus.spark;

import java.util.Iterator;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * What the executors are sent: plain data, and nothing that needs a newer Java to be read.
 *
 * @param image place of the image's column
 * @param prompt place of the prompt's column; -1 for none
 * @param progress what is counted; null for nothing
 */
record RowFunction(
    ModelSource source,
    Request request,
    ExecutorOptions options,
    ImageColumn column,
    int image,
    int prompt,
    String requestHash,
    Broadcast<SerializableConfiguration> configuration,
    @Nullable JobProgress progress)
    implements MapPartitionsFunction<Row, Row> {
  private static final long serialVersionUID = 1;

  @Override
  public Iterator<Row> call(Iterator<Row> rows) throws Exception {
    JavaRequirement.check("An executor");
    return new TaskRows(this, rows);
  }

  Configuration hadoop() {
    return configuration.value().value();
  }

  RowJob job(Row row, ImageFiles files, RowWorker worker) {
    Object value = row.isNullAt(image) ? null : row.get(image);
    String text = prompt < 0 || row.isNullAt(prompt) ? null : row.getString(prompt);
    return new RowJob(value, text, prompt >= 0, files, worker);
  }

  /** Counts a row, on the task's thread. */
  void count(RowOutcome outcome) {
    ExecutorMetrics.count(outcome);
    if (progress != null) {
      progress.count(outcome);
    }
  }
}
