package dev.ocellus.ggml;

import static dev.ocellus.ggml.Checks.require;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A residual block of two {@link MapLayer}s as one node, of which what stands between is never held
 * as a whole. A block then needs memory for one map where two layers need it for two, and takes
 * half as long again, since the first layer is computed twice.
 *
 * @param first with a norm, as the second
 * @param second takes what the first gives
 */
public record MapBlock(MapLayer first, MapLayer second) {
  public MapBlock {
    require(
        first.norm() != null && second.norm() != null,
        () -> "MapBlock: expected a norm before each convolution");
    require(
        first.kernel().size(3) == second.kernel().size(2)
            && second.kernel().size(2) == second.kernel().size(3),
        () ->
            "MapBlock: the kernels %s and %s do not fit each other"
                .formatted(first.kernel().describe(), second.kernel().describe()));
  }

  /** Whether both layers are of a size that an accelerator takes. */
  public boolean fits(Tensor x) {
    return first.fits(x) && second.kernel().size(2) > 0 && first.kernel().size(2) == x.size(2);
  }

  /**
   * Adds it to the graph of maps that it {@link #fits}. The result takes the place of {@code
   * added}, which nothing else may read.
   *
   * @param x [width, height, channels, batch]
   * @param added [width, height, channels out, batch]; may be {@code x}
   * @return like {@code added}
   */
  public Tensor applyInto(Tensor x, Tensor added) {
    first.check(x);
    second.kernel().checkF32Contiguous("MapBlock");
    long channels = second.kernel().size(3);
    MemorySegment between = // only its header, for the checks of the second layer
        ggml_h.ggml_new_tensor_4d(
            x.context.handle(), TensorType.F32.id(), x.size(0), x.size(1), channels, x.size(3));
    second.check(x.node(between));
    MemorySegment result = MapLayer.inPlaceOf(added, x, x.size(0), x.size(1), channels);
    AccelLayer.write(result, x, List.of(first, second), added);
    return x.node(result);
  }
}
