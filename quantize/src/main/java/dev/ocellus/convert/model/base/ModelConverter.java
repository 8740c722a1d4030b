package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.List;

/** One of the two files that a checkpoint becomes: the text model, or the image encoder. */
public interface ModelConverter {
  /** {@code general.architecture}. */
  String architecture();

  /** {@code general.type}: model or mmproj; empty for files of the old LLaVA layout. */
  String generalType();

  /**
   * All tensors in the order of the file. Nothing is read yet.
   *
   * @throws dev.ocellus.convert.common.ConversionException if one is missing, unknown or of a wrong
   *     shape
   */
  List<TargetTensor> tensors();

  /** Adds what this architecture's metadata are, without general ones and tokenizer. */
  void parameters(GgufWriter out, OutputType type);

  /** Adds what comes last, which is the tokenizer. */
  void tokenizer(GgufWriter out) throws IOException;

  /** The type that a tensor has in a file of this type. */
  TensorType typeOf(TargetTensor tensor, OutputType type);

  /**
   * Whether matrices of F32 stay F32 where no type was asked for. Text models are rounded to F16,
   * which costs nothing that anybody sees; codes of images are nearest neighbours.
   */
  default boolean keepsF32() {
    return false;
  }

  /** Elements of the model, by which it is called large or small. */
  default long parameterCount(List<TargetTensor> tensors) {
    return tensors.stream().mapToLong(t -> t.data().count()).sum();
  }
}
