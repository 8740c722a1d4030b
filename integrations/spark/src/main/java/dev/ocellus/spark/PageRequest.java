package dev.ocellus.spark;

import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The text of the pages of a file. */
record PageRequest(PageOptions options) implements Request {
  private static final long serialVersionUID = 1;

  private static final StructType REGION =
      new StructType()
          .add("kind", DataTypes.StringType)
          .add("label", DataTypes.StringType)
          .add(
              "points",
              DataTypes.createArrayType(
                  new StructType()
                      .add("x", DataTypes.IntegerType)
                      .add("y", DataTypes.IntegerType)));
  private static final StructType PAGE =
      new StructType()
          .add("text", DataTypes.StringType)
          .add("regions", DataTypes.createArrayType(REGION))
          .add("width", DataTypes.IntegerType)
          .add("height", DataTypes.IntegerType)
          .add("stop_reason", DataTypes.StringType);

  @Override
  public StructType resultType() {
    return new StructType()
        .add("text", DataTypes.StringType)
        .add("pages", DataTypes.createArrayType(PAGE))
        .add("page_count", DataTypes.IntegerType)
        .add("prompt_tokens", DataTypes.IntegerType)
        .add("image_tokens", DataTypes.IntegerType)
        .add("completion_tokens", DataTypes.IntegerType);
  }

  @Override
  public String fingerprint() {
    return new Fingerprint("pages")
        .add(options.markdown())
        .add(options.places())
        .add(options.prompt())
        .add(options.maxPages())
        .add(options.maxTokens())
        .add(options.dpi())
        .toString();
  }

  @Override
  public ModelUse use() {
    return ModelUse.CHAT;
  }
}
