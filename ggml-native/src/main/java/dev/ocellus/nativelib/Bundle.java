package dev.ocellus.nativelib;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** The libraries of one platform as resources, on the class path or the module path. */
final class Bundle {
  /** No package name can hold the hyphen, so modules do not encapsulate what lies below. */
  static final String ROOT = "META-INF/ocellus/natives/";

  private static final String MANIFEST = "manifest.txt";

  private final ClassLoader loader;
  private final String directory;
  private final URL url;
  private final NativeManifest manifest;

  private Bundle(ClassLoader loader, String directory, URL url, NativeManifest manifest) {
    this.loader = loader;
    this.directory = directory;
    this.url = url;
    this.manifest = manifest;
  }

  static String manifestName(Platform platform) {
    return manifestName(platform.id());
  }

  private static String manifestName(String id) {
    return ROOT + id + "/" + MANIFEST;
  }

  static Optional<Bundle> find(ClassLoader loader, Platform platform) {
    return find(loader, platform.id());
  }

  /**
   * The first bundle of a name.
   *
   * @param id a platform's, or a library's with the platform after it: {@code openblas-linux-x64}
   */
  static Optional<Bundle> find(ClassLoader loader, String id) {
    List<URL> manifests = manifests(loader, id);
    return manifests.isEmpty()
        ? Optional.empty()
        : Optional.of(of(loader, id, manifests.getFirst()));
  }

  /**
   * Where the manifests of a name are, in the order of the class path: in several jars, perhaps.
   */
  static List<URL> manifests(ClassLoader loader, String id) {
    try {
      return Collections.list(loader.getResources(manifestName(id)));
    } catch (IOException e) {
      throw new NativeLibraryException("cannot look for " + manifestName(id) + ": " + e, e);
    }
  }

  /**
   * The bundle of a manifest.
   *
   * @throws NativeLibraryException if the manifest cannot be read, or is of another name
   */
  static Bundle of(ClassLoader loader, String id, URL url) {
    try (InputStream in = url.openStream()) {
      NativeManifest manifest = NativeManifest.parse(in.readAllBytes(), url.toString());
      if (!manifest.platform().equals(id)) {
        throw new NativeLibraryException(
            url + " is for " + manifest.platform() + ", expected " + id);
      }
      return new Bundle(loader, ROOT + id + "/", url, manifest);
    } catch (IOException e) {
      throw new NativeLibraryException("cannot read " + url + ": " + e, e);
    }
  }

  NativeManifest manifest() {
    return manifest;
  }

  /** The bytes of a file, from the same jar as the manifest. */
  InputStream open(NativeManifest.Entry entry) throws IOException {
    String beside = url.toString();
    String wanted = beside.substring(0, beside.length() - MANIFEST.length()) + entry.name();
    for (URL found : Collections.list(loader.getResources(directory + entry.name()))) {
      if (found.toString().equals(wanted)) {
        return found.openStream();
      }
    }
    throw new FileNotFoundException("there is no " + wanted);
  }
}
