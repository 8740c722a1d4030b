package dev.ocellus.vlm.generate;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What tells a model and its image encoder from others, wherever their files lie. */
public final class ModelIdentity {
  private final LoadOptions options;
  private volatile @Nullable String known;

  ModelIdentity(LoadOptions options) {
    this.options = options;
  }

  /**
   * The identity; computed when first asked for, since it reads samples of every tensor.
   *
   * @throws IOException if a file cannot be read any more
   */
  public String get() throws IOException {
    String identity = known;
    if (identity == null) {
      identity = of(options.model());
      Path mmproj = options.mmproj();
      if (mmproj != null) {
        identity += " " + of(mmproj) + " " + options.vision().images();
      }
      known = identity;
    }
    return identity;
  }

  private static String of(Path file) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      return gguf.identity();
    }
  }
}
