package dev.ocellus.spark;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructType;

/**
 * Results of earlier runs. A row is done if its key is there with the same model and request, and
 * with a result or an error that would come again.
 *
 * @param rows with the key, and {@code model_hash}, {@code request_hash} and {@code error_code} as
 *     columns or in a struct
 */
record Done(Dataset<Row> rows, String key) {
  /** What was written to a folder of Parquet files; nothing if there is none yet. */
  static Done parquet(SparkSession spark, String folder, String key) {
    Path path = new Path(folder);
    try {
      boolean exists = path.getFileSystem(spark.sparkContext().hadoopConfiguration()).exists(path);
      return new Done(exists ? spark.read().parquet(folder) : spark.emptyDataFrame(), key);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Those of some rows that are not done. */
  Dataset<Row> rest(Dataset<Row> all, String result, String modelHash, String requestHash) {
    if (rows.schema().isEmpty()) {
      return all;
    }
    Column sameModel =
        field(result, ResultType.MODEL_HASH)
            .equalTo(modelHash)
            .and(field(result, ResultType.REQUEST_HASH).equalTo(requestHash));
    Column error = field(result, ResultType.ERROR_CODE);
    Column settled = error.isNull().or(error.isin(permanent()));
    Dataset<Row> keys = rows.where(sameModel.and(settled)).select(rows.col(key).as("done_key"));
    return all.join(keys, all.col(key).equalTo(keys.col("done_key")), "left_anti");
  }

  private static Object[] permanent() {
    List<String> names = new ArrayList<>();
    for (ErrorCode code : ErrorCode.values()) {
      if (code.isPermanent()) {
        names.add(code.wireName());
      }
    }
    return names.toArray();
  }

  private Column field(String result, String name) {
    StructType schema = rows.schema();
    List<String> names = Arrays.asList(schema.fieldNames());
    if (names.contains(name)) {
      return functions.col(name);
    }
    if (!names.contains(result)) {
      throw new IllegalArgumentException(
          "earlier results: expected a column '%s', or '%s', found %s"
              .formatted(name, result, names));
    }
    return functions.col(result).getField(name);
  }
}
