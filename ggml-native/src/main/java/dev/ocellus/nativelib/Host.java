package dev.ocellus.nativelib;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * The machine and JVM that the libraries must suit.
 *
 * @param os empty when there are no prebuilt libraries for the operating system
 * @param arch empty when there are none for the processor
 * @param musl whether the JVM runs on musl libc, as on Alpine; the prebuilt libraries need glibc
 * @param description as the JVM names both, for messages
 */
record Host(Optional<Os> os, Optional<Arch> arch, boolean musl, String description) {
  static Host current() {
    return of(System.getProperty("os.name", "?"), System.getProperty("os.arch", "?"), onMusl());
  }

  static Host of(String osName, String osArch, boolean musl) {
    String lower = osName.toLowerCase(Locale.ROOT);
    Optional<Os> os =
        lower.startsWith("windows")
            ? Optional.of(Os.WINDOWS)
            : lower.startsWith("mac") || lower.startsWith("darwin")
                ? Optional.of(Os.MAC)
                : lower.equals("linux") ? Optional.of(Os.LINUX) : Optional.empty();
    Optional<Arch> arch =
        switch (osArch.toLowerCase(Locale.ROOT)) {
          case "amd64", "x86_64" -> Optional.of(Arch.X64);
          case "aarch64", "arm64" -> Optional.of(Arch.ARM64);
          default -> Optional.empty();
        };
    return new Host(os, arch, musl, osName + " on " + osArch);
  }

  /** The JVM's own C library, not what else is installed: a glibc JVM can run on Alpine. */
  private static boolean onMusl() {
    try {
      return Files.readString(Path.of("/proc/self/maps")).contains("/ld-musl-");
    } catch (IOException e) {
      return false; // no /proc: not Linux, so not musl
    }
  }
}
