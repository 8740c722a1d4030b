package dev.ocellus.nativelib;

/** An operating system with prebuilt libraries, and how it names library files. */
public enum Os {
  LINUX("lib", ".so", ".so"),
  /** ggml's loadable backends end in .so here too, unlike the libraries that are linked. */
  MAC("lib", ".dylib", ".so"),
  WINDOWS("", ".dll", ".dll");

  private final String prefix;
  private final String suffix;
  private final String backendSuffix;

  Os(String prefix, String suffix, String backendSuffix) {
    this.prefix = prefix;
    this.suffix = suffix;
    this.backendSuffix = backendSuffix;
  }

  /** What stands before every library's name: {@code lib} or nothing. */
  public String prefix() {
    return prefix;
  }

  /** The ending of the linked libraries: llama, ggml, ggml-base. */
  public String suffix() {
    return suffix;
  }

  /** The ending of the backends that ggml loads by itself: ggml-cpu-zen4, ggml-cuda ... */
  public String backendSuffix() {
    return backendSuffix;
  }
}
