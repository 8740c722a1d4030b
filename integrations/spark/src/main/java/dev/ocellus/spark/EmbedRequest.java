package dev.ocellus.spark;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A vector.
 *
 * @param instruction what vectors are for, for vision-language models; empty for the usual one
 */
record EmbedRequest(String instruction) implements Request {
  private static final long serialVersionUID = 1;

  @Override
  public StructType resultType() {
    return new StructType()
        .add("vector", DataTypes.createArrayType(DataTypes.FloatType, false))
        .add("tiles", DataTypes.createArrayType(ResultType.SIZE))
        .add("image_tokens", DataTypes.IntegerType);
  }

  @Override
  public String fingerprint() {
    return new Fingerprint("embed").add(instruction).toString();
  }

  @Override
  public ModelUse use() {
    return ModelUse.EMBEDDING;
  }
}
