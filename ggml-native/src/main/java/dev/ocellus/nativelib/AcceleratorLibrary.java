package dev.ocellus.nativelib;

import java.util.List;

/** Libraries of matrix products that can be bundled beside ggml. */
public enum AcceleratorLibrary {
  /** Products in F32, for every processor. */
  OPENBLAS("openblas", "libopenblas.so.0", "libopenblas.0.dylib", List.of("libopenblas.dll")),
  /** Products in BF16 where the processor has instructions for them, with F32 besides. */
  ONEDNN("onednn", "libdnnl.so.3", "libdnnl.3.dylib", List.of("OpenCL.dll", "dnnl.dll"));

  private final String id;
  private final String linux;
  private final String mac;

  @SuppressWarnings("ImmutableEnumChecker") // List.of, which nothing can change
  private final List<String> windows;

  AcceleratorLibrary(String id, String linux, String mac, List<String> windows) {
    this.id = id;
    this.linux = linux;
    this.mac = mac;
    this.windows = windows;
  }

  /** Name in file names: {@code openblas}. */
  public String id() {
    return id;
  }

  /**
   * The files to load, in this order. What they need besides lies in the same directory, where
   * Linux looks by itself and Windows does not.
   */
  List<String> files(Os os) {
    return switch (os) {
      case LINUX -> List.of(linux);
      case MAC -> List.of(mac);
      case WINDOWS -> windows;
    };
  }

  /** Whether there is a build for such machines. */
  boolean existsFor(Os os, Arch arch) {
    return os != Os.MAC && (arch == Arch.X64 || (this == OPENBLAS && os == Os.LINUX));
  }

  /** Name of the bundle for a machine: {@code openblas-linux-x64}. */
  String bundle(Os os, Arch arch) {
    String system =
        switch (os) {
          case LINUX -> "linux";
          case MAC -> "mac";
          case WINDOWS -> "win";
        };
    return id + "-" + system + "-" + (arch == Arch.X64 ? "x64" : "arm64");
  }
}
