/**
 * GGUF, safetensors and PyTorch files in pure Java, and ggml and libllama through {@code
 * java.lang.foreign}.
 */
module dev.ocellus.bindings {
  requires static org.jspecify;
  requires transitive dev.ocellus.nativelib;
  requires com.fasterxml.jackson.databind;
  requires jdk.management;

  exports dev.ocellus.compute;
  exports dev.ocellus.ggml to
      dev.ocellus.vlm,
      dev.ocellus.quantize,
      dev.ocellus.server,
      dev.ocellus.cli;
  exports dev.ocellus.gguf;
  exports dev.ocellus.io to
      dev.ocellus.vlm,
      dev.ocellus.quantize,
      dev.ocellus.search,
      dev.ocellus.server,
      dev.ocellus.hub,
      dev.ocellus.cli;
  exports dev.ocellus.llama;
  exports dev.ocellus.pickle to
      dev.ocellus.vlm,
      dev.ocellus.quantize;
  exports dev.ocellus.safetensors to
      dev.ocellus.vlm,
      dev.ocellus.quantize;
}
