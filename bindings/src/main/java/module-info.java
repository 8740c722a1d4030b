/** GGUF files in pure Java, and ggml and libllama through {@code java.lang.foreign}. */
module dev.ocellus.bindings {
  requires static org.jspecify;
  requires transitive dev.ocellus.nativelib;

  exports dev.ocellus.ggml;
  exports dev.ocellus.gguf;
  exports dev.ocellus.io;
  exports dev.ocellus.llama;
}
