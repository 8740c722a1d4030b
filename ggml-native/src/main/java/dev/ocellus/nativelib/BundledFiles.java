package dev.ocellus.nativelib;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Unpacks resources that have to be real files, such as a model, into the user's cache directory:
 * atomically, checked by hash, once for all processes, whichever of them comes first.
 */
public final class BundledFiles {
  private BundledFiles() {}

  /**
   * The directory that holds the files, unpacked if needed.
   *
   * @param kind name of the collection; also a directory's name in the cache
   * @param listing lines of {@code file SHA-256 SIZE NAME}
   * @param opener gives the resource of a name, or null where there is none
   * @throws NativeLibraryException if the resources are not what the listing states, or nothing can
   *     be written
   */
  public static Path unpack(
      String kind, byte[] listing, Function<String, @Nullable InputStream> opener) {
    String header = "ocellus-natives 1\nplatform %s\nllama.cpp bundled\n".formatted(kind);
    byte[] text =
        (header + new String(listing, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
    NativeManifest manifest = NativeManifest.parse(text, "the listing of " + kind);
    Path root = Settings.fromEnvironment().cache().resolveSibling(kind);
    return new NativeCache(root).unpacked(manifest, entry -> open(kind, entry, opener));
  }

  private static InputStream open(
      String kind, NativeManifest.Entry entry, Function<String, @Nullable InputStream> opener)
      throws IOException {
    InputStream in = opener.apply(entry.name());
    if (in == null) {
      throw new FileNotFoundException(
          "the resource %s of %s is missing; rebuild or reinstall Ocellus"
              .formatted(entry.name(), kind));
    }
    return in;
  }
}
