package dev.ocellus.nativelib;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The libraries of one platform as resources, on the class path or the module path. */
final class Bundle {
  /** No package name can hold the hyphen, so modules do not encapsulate what lies below. */
  static final String ROOT = "META-INF/ocellus/natives/";

  private final ClassLoader loader;
  private final String directory;
  private final NativeManifest manifest;

  private Bundle(ClassLoader loader, String directory, NativeManifest manifest) {
    this.loader = loader;
    this.directory = directory;
    this.manifest = manifest;
  }

  static String manifestName(Platform platform) {
    return manifestName(platform.id());
  }

  private static String manifestName(String id) {
    return ROOT + id + "/manifest.txt";
  }

  static Optional<Bundle> find(ClassLoader loader, Platform platform) {
    return find(loader, platform.id());
  }

  /**
   * A bundle by its name.
   *
   * @param id a platform's, or a library's with the platform after it: {@code openblas-linux-x64}
   */
  static Optional<Bundle> find(ClassLoader loader, String id) {
    String name = manifestName(id);
    @Nullable URL url = loader.getResource(name);
    if (url == null) {
      return Optional.empty();
    }
    try (InputStream in = url.openStream()) {
      NativeManifest manifest = NativeManifest.parse(in.readAllBytes(), url.toString());
      if (!manifest.platform().equals(id)) {
        throw new NativeLibraryException(
            url + " is for " + manifest.platform() + ", expected " + id);
      }
      return Optional.of(new Bundle(loader, ROOT + id + "/", manifest));
    } catch (IOException e) {
      throw new NativeLibraryException("cannot read " + url + ": " + e, e);
    }
  }

  NativeManifest manifest() {
    return manifest;
  }

  InputStream open(NativeManifest.Entry entry) throws IOException {
    @Nullable InputStream in = loader.getResourceAsStream(directory + entry.name());
    if (in == null) {
      throw new FileNotFoundException("resource " + directory + entry.name());
    }
    return in;
  }
}
