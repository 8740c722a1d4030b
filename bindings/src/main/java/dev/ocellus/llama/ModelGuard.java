package dev.ocellus.llama;

import dev.ocellus.gguf.GgufFile;

/** Checks a text model's metadata and tensors before libllama reads them. */
final class ModelGuard {
  private ModelGuard() {}

  static void check(GgufFile file) {
    file.requireReadableByGgml();
  }
}
