package dev.ocellus.pickle;

import dev.ocellus.safetensors.SafetensorsType;

/**
 * The numbers of one or more tensors, one after the other, somewhere in the file.
 *
 * @param key its name in the file
 * @param type of its elements; U8 for one without a type
 * @param first element in the one of this name, where this is a part of it
 * @param count elements
 * @param total elements of the whole
 */
record Storage(String key, SafetensorsType type, long first, long count, long total) {
  /** Bytes of the whole. */
  long totalBytes() {
    return total * type.bytes();
  }
}
