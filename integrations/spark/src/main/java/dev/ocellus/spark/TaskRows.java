package dev.ocellus.spark;

import dev.ocellus.vlm.image.ImageLimits;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.spark.SparkEnv;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.util.TaskCompletionListener;

/**
 * The rows of a task with their results, in their order. A few are on their way at a time, so that
 * memory does not depend on how many there are.
 */
final class TaskRows implements Iterator<Row> {
  private static final long LOOK_AT_TASK_MILLIS = 100;

  /** A row that is worked on. */
  private record Begun(Row row, RowJob job, Future<RowOutcome> outcome) {}

  private final RowFunction function;
  private final Iterator<Row> rows;
  private final TaskContext task;
  private final LoadedModels.Use use;
  private final RowWorker worker;
  private final ImageFiles files;
  private final int nFields;
  private final String requestHash;
  private final Deque<Begun> begun = new ArrayDeque<>();

  TaskRows(RowFunction function, Iterator<Row> rows) throws IOException {
    this.function = function;
    this.rows = rows;
    this.task = TaskContext.get();
    ImageColumn column = function.column();
    ImageLimits limits =
        ImageLimits.DEFAULT.withMaxBytes(column.maxBytes()).withMaxPixels(column.maxPixels());
    this.files = new ImageFiles(function.hadoop(), limits);
    this.nFields = function.request().resultType().size();
    this.requestHash = function.requestHash();
    Compute compute = Compute.of(function.options(), task, SparkEnv.get().conf());
    this.use =
        LoadedModels.acquire(
            function.source(), function.request().use(), function.options(), compute);
    task.addTaskCompletionListener((TaskCompletionListener) ended -> end());
    this.worker = use.model().worker(function.request());
  }

  /** Gives up what nobody waits for: a limit was reached, the task failed or was killed. */
  private void end() {
    for (Begun row : begun) {
      row.job.giveUp();
      row.outcome.cancel(false);
    }
    begun.clear();
    use.close();
  }

  @Override
  public boolean hasNext() {
    return !begun.isEmpty() || rows.hasNext();
  }

  @Override
  public Row next() {
    begin();
    Begun first = begun.peekFirst();
    if (first == null) {
      throw new NoSuchElementException();
    }
    RowOutcome outcome = await(first.outcome);
    begun.removeFirst();
    function.count(outcome);
    return joined(first.row, ResultType.row(nFields, outcome, use.model().hash(), requestHash));
  }

  private void begin() {
    while (begun.size() < use.model().rowsOfTask() && rows.hasNext()) {
      Row row = rows.next();
      RowJob job = function.job(row, files, worker);
      begun.addLast(new Begun(row, job, use.model().submit(job)));
    }
  }

  private RowOutcome await(Future<RowOutcome> outcome) {
    while (true) {
      if (task.isInterrupted()) {
        throw new TaskKilledException("the task was killed");
      }
      try {
        return outcome.get(LOOK_AT_TASK_MILLIS, TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        // looks at the task again
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw (CancellationException)
            new CancellationException("interrupted while a row was worked on").initCause(e);
      } catch (ExecutionException e) {
        throw unexpected(e);
      }
    }
  }

  private static RuntimeException unexpected(ExecutionException e) {
    Throwable cause = e.getCause();
    if (cause instanceof Error error) {
      throw error;
    }
    return cause instanceof RuntimeException runtime
        ? runtime
        : new IllegalStateException("a row could not be worked on", cause);
  }

  private static Row joined(Row row, Row result) {
    Object[] values = new Object[row.size() + 1];
    for (int i = 0; i < row.size(); i++) {
      values[i] = row.get(i);
    }
    values[row.size()] = result;
    return RowFactory.create(values);
  }
}
