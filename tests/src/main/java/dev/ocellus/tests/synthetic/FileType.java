package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.TensorType;

/** Numbers of {@code general.file_type}, llama.cpp's {@code llama_ftype}. */
final class FileType {
  private FileType() {}

  static int of(TensorType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case Q8_0 -> 7;
      default -> throw new IllegalArgumentException("no file type for " + type.ggmlName());
    };
  }
}
