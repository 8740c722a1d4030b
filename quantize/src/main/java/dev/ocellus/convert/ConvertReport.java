package dev.ocellus.convert;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What was written.
 *
 * @param files the files, language model first
 * @param warnings what the user should know of them
 */
public record ConvertReport(List<ConvertedFile> files, List<String> warnings) {
  /**
   * One file.
   *
   * @param path where it is
   * @param kind {@code text} or {@code mmproj}
   * @param architecture {@code general.architecture}
   * @param outputType the type that was asked for; never AUTO
   * @param parameters elements of all tensors
   * @param bytes size of the file
   * @param tensorTypes how many tensors have which type
   */
  public record ConvertedFile(
      Path path,
      String kind,
      String architecture,
      OutputType outputType,
      long parameters,
      long bytes,
      Map<TensorType, Integer> tensorTypes) {}
}
