package dev.ocellus.spark;

import java.util.HashSet;
import java.util.List;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** How well labels fit. */
record ClassifyRequest(List<String> labels, List<String> templates) implements Request {
  private static final long serialVersionUID = 1;

  ClassifyRequest {
    labels = List.copyOf(labels);
    templates = List.copyOf(templates);
    if (labels.isEmpty() || new HashSet<>(labels).size() != labels.size()) {
      throw new IllegalArgumentException(
          "labels: expected at least one, all different, found " + labels);
    }
    for (String template : templates) {
      if (!template.contains("{}")) {
        throw new IllegalArgumentException(
            "template '%s': expected {} where the label goes, such as 'a photo of a {}'"
                .formatted(template));
      }
    }
  }

  @Override
  public StructType resultType() {
    return new StructType()
        .add("label", DataTypes.StringType)
        .add("probability", DataTypes.FloatType)
        .add(
            "probabilities",
            DataTypes.createMapType(DataTypes.StringType, DataTypes.FloatType, false))
        .add("tiles", DataTypes.createArrayType(ResultType.SIZE))
        .add("image_tokens", DataTypes.IntegerType);
  }

  @Override
  public String fingerprint() {
    return new Fingerprint("classify").addAll(labels).addAll(templates).toString();
  }

  @Override
  public ModelUse use() {
    return ModelUse.EMBEDDING;
  }
}
