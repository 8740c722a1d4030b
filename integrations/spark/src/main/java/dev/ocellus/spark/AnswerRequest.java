package dev.ocellus.spark;

import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * A question.
 *
 * @param jsonType of answers in JSON; null for text
 */
record AnswerRequest(AnswerOptions options, @Nullable DataType jsonType) implements Request {
  private static final long serialVersionUID = 1;

  @Override
  public StructType resultType() {
    StructType type = new StructType().add("text", DataTypes.StringType);
    if (jsonType != null) {
      type = type.add("json", jsonType);
    }
    return type.add("stop_reason", DataTypes.StringType)
        .add("prompt_tokens", DataTypes.IntegerType)
        .add("image_tokens", DataTypes.IntegerType)
        .add("cached_tokens", DataTypes.IntegerType)
        .add("completion_tokens", DataTypes.IntegerType)
        .add("tiles", DataTypes.createArrayType(ResultType.SIZE));
  }

  @Override
  public String fingerprint() {
    return new Fingerprint("answer")
        .add(options.prompt())
        .add(options.system())
        .add(options.jsonSchema())
        .add(options.maxTokens())
        .add(options.temperature())
        .add(options.topK())
        .add(options.topP())
        .add(options.seed())
        .addAll(options.stop())
        .toString();
  }

  @Override
  public ModelUse use() {
    return ModelUse.CHAT;
  }
}
