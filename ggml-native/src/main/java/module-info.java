/** Native ggml and llama.cpp libraries: find, verify, unpack, load. */
module dev.ocellus.nativelib {
  requires static org.jspecify;

  exports dev.ocellus;
  exports dev.ocellus.nativelib to
      dev.ocellus.bindings,
      dev.ocellus.vlm,
      dev.ocellus.quantize,
      dev.ocellus.cli;
}
