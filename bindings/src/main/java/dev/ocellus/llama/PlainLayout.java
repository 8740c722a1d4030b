package dev.ocellus.llama;

import dev.ocellus.ffi.llama_model_params;
import dev.ocellus.ffi.llama_model_tensor_buft_override;
import dev.ocellus.ggml.SecondBufferType;
import dev.ocellus.gguf.GgufFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.regex.Pattern;

/**
 * Keeps the weights of recurrent blocks out of the layout of ggml's kernels for AMX. Graphs with
 * recurrent states multiply some of them with each sequence by itself, and of several sequences
 * those kernels of ggml 0.4.0 read weights behind the end for all but the first. All other weights
 * may have that layout.
 *
 * <p>Source: {@code ggml_batch_offset} in {@code ggml/src/ggml-cpu/amx/mmq.cpp}, and the products
 * of {@code src/models/mamba-base.cpp}, {@code qwen35.cpp} and {@code lfm2.cpp} of llama.cpp v0.4.0
 * whose second factor has three dimensions.
 */
final class PlainLayout {
  /** Of tensors; what libllama searches for as well. */
  private static final String RECURRENT = "[.](ssm_[a-z0-9_]+|shortconv[.][a-z_]+)[.]weight$";

  private static final Pattern PATTERN = Pattern.compile(RECURRENT);

  private PlainLayout() {}

  /** Whether a file has weights of recurrent blocks. */
  static boolean isNeeded(GgufFile file) {
    return file.tensors().stream().anyMatch(t -> PATTERN.matcher(t.name()).find());
  }

  /**
   * Says so to libllama's loader. Of weights that are meant for the CPU's own type of memory it
   * considers other layouts again; but not of those meant for another type, and which is another
   * one it tells by the address. So there is a second one, which is the same in all else: the
   * loader puts weights together by the names of their types, so that these are mapped as those of
   * the CPU are.
   */
  static void apply(MemorySegment params, Arena scratch) {
    // one override, and an empty one that ends the list
    MemorySegment list = llama_model_tensor_buft_override.allocateArray(2, scratch).fill((byte) 0);
    MemorySegment first = llama_model_tensor_buft_override.asSlice(list, 0);
    llama_model_tensor_buft_override.pattern(first, scratch.allocateFrom(RECURRENT));
    llama_model_tensor_buft_override.buft(first, SecondBufferType.address());
    llama_model_params.tensor_buft_overrides(params, list);
  }
}
