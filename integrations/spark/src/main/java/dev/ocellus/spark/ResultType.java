package dev.ocellus.spark;

import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/** What all results have: the image's size, time, what computed it, and why there is none. */
final class ResultType {
  /** Width and height in pixels. */
  static final StructType SIZE =
      new StructType().add("width", DataTypes.IntegerType).add("height", DataTypes.IntegerType);

  static final String MODEL_HASH = "model_hash";
  static final String REQUEST_HASH = "request_hash";
  static final String ERROR_CODE = "error_code";

  private static final StructType COMMON =
      new StructType()
          .add("width", DataTypes.IntegerType)
          .add("height", DataTypes.IntegerType)
          .add("millis", DataTypes.DoubleType)
          .add(MODEL_HASH, DataTypes.StringType)
          .add(REQUEST_HASH, DataTypes.StringType)
          .add(ERROR_CODE, DataTypes.StringType)
          .add("error_message", DataTypes.StringType);

  private ResultType() {}

  static StructType of(Request request) {
    StructType type = request.resultType();
    for (StructField field : COMMON.fields()) {
      type = type.add(field);
    }
    return type;
  }

  /** A result; without values of its own where there is a failure. */
  static Row row(int nFields, RowOutcome outcome, String modelHash, String requestHash) {
    Object[] values = new Object[nFields + COMMON.size()];
    Object[] own = outcome.values();
    if (own != null) {
      System.arraycopy(own, 0, values, 0, nFields);
    }
    Seen seen = outcome.seen();
    if (seen.width() > 0) {
      values[nFields] = seen.width();
      values[nFields + 1] = seen.height();
    }
    values[nFields + 2] = outcome.millis();
    values[nFields + 3] = modelHash;
    values[nFields + 4] = requestHash;
    RowFailure failure = outcome.failure();
    if (failure != null) {
      values[nFields + 5] = failure.code().wireName();
      values[nFields + 6] = failure.message();
    }
    return RowFactory.create(values);
  }
}
