/** Native ggml and llama.cpp libraries: find, verify, unpack, load. */
module dev.ocellus.nativelib {
  requires static org.jspecify;

  exports dev.ocellus;
  exports dev.ocellus.nativelib;
}
