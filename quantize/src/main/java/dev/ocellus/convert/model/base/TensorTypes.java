package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import java.util.Set;

/**
 * Which type a tensor gets: vectors, norms, positions and whatever is no weight stay F32, as ggml's
 * operations want them; the rest gets the type of the file. The same rules as llama.cpp's
 * converter.
 */
public final class TensorTypes {
  private static final Set<String> ALWAYS_F32 =
      Set.of(
          "v.position_embd.weight",
          "t.position_embd.weight",
          "d.position_embd.weight",
          "enc.position_embd.weight",
          "dec.position_embd.weight",
          "position_embd.weight",
          "token_types.weight");

  private TensorTypes() {}

  public static TensorType of(TargetTensor t, OutputType type) {
    String name = t.name();
    if (isSmall(t)
        || name.endsWith("_norm.weight")
        || !name.endsWith(".weight")
        || ALWAYS_F32.contains(name)) {
      return TensorType.F32;
    }
    return fitting(t, type.tensorType());
  }

  static boolean isSmall(TargetTensor t) {
    return t.data().rank() <= 1;
  }

  /** A row that does not fill the blocks of a type falls back to F16. */
  public static TensorType fitting(TargetTensor t, TensorType type) {
    long row = t.data().size(t.data().rank() - 1);
    return row % type.blockSize() == 0 ? type : TensorType.F16;
  }
}
