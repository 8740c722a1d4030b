package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.llama_model_kv_override;
import dev.ocellus.ffi.llama_model_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;

/**
 * Tells libllama that a file is of an architecture that it knows. It refuses others before it looks
 * at their tokenizer, which does not depend on it.
 */
final class ArchitectureOverride {
  private static final String KEY = "general.architecture";
  private static final String KNOWN = "llama";

  /** The union of values stands behind the key, aligned to 8 bytes; jextract leaves it unnamed. */
  private static final long VALUE = llama_model_kv_override.sizeof() - 128;

  private ArchitectureOverride() {}

  static void apply(MemorySegment params, Arena scratch) {
    // one override, and an empty one that ends the list
    MemorySegment list = llama_model_kv_override.allocateArray(2, scratch).fill((byte) 0);
    MemorySegment first = llama_model_kv_override.asSlice(list, 0);
    llama_model_kv_override.tag(first, ggml_h.LLAMA_KV_OVERRIDE_TYPE_STR());
    long key = llama_model_kv_override.layout().byteOffset(PathElement.groupElement("key"));
    first.setString(key, KEY);
    first.setString(VALUE, KNOWN);
    llama_model_params.kv_overrides(params, list);
  }
}
