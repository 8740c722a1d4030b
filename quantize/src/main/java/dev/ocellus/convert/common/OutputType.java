package dev.ocellus.convert.common;

import dev.ocellus.gguf.TensorType;
import java.util.Locale;

/**
 * Type of the large tensors of a converted file. Vectors, and what llama.cpp reads in no other
 * type, are always F32.
 */
public enum OutputType {
  F32(TensorType.F32, 0),
  F16(TensorType.F16, 1),
  BF16(TensorType.BF16, 32),
  Q8_0(TensorType.Q8_0, 7),

  /** The checkpoint's own: BF16 where its first matrix is BF16, otherwise F16. */
  AUTO(TensorType.F16, 1);

  private final TensorType tensorType;
  private final int fileType;

  OutputType(TensorType tensorType, int fileType) {
    this.tensorType = tensorType;
    this.fileType = fileType;
  }

  /** The tensor type that stands for it. */
  public TensorType tensorType() {
    return tensorType;
  }

  /** Its number in {@code general.file_type} ({@code llama_ftype} in {@code llama.h}). */
  public int fileType() {
    return fileType;
  }

  /** The name as on the command line, such as {@code q8_0}. */
  public String optionName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The type of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static OutputType named(String name) {
    for (OutputType t : values()) {
      if (t.optionName().equals(name.toLowerCase(Locale.ROOT))) {
        return t;
      }
    }
    throw new IllegalArgumentException(
        "output type: expected f32, f16, bf16, q8_0 or auto, found '%s'".formatted(name));
  }
}
