package dev.ocellus.spark;

import java.io.Serializable;
import org.apache.spark.sql.types.StructType;

/**
 * What is asked of a model about each image. Sent to the executors as plain data: no signature here
 * names a class that only newer versions of Java load, since deserializing looks at all of them.
 */
sealed interface Request extends Serializable
    permits AnswerRequest, EmbedRequest, ClassifyRequest, PageRequest {
  /** The fields of a result, without those that all have. */
  StructType resultType();

  /** All of it that changes results, as text. */
  String fingerprint();

  /** What the model has to be. */
  ModelUse use();
}
