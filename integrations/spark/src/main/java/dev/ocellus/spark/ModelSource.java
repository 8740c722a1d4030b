package dev.ocellus.spark;

import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where every executor finds the model. Its files are never sent with the job: they lie at a path
 * that all machines have, come with {@code --files}, or are in the hub's cache. Each executor
 * computes their SHA-256 when it loads them, and writes it into every row; where it is known before
 * ({@link #withSha256}, {@link #pinned}), other files are refused.
 */
public final class ModelSource implements Serializable {
  private static final long serialVersionUID = 1;

  /** How files are found. */
  enum Kind {
    SHARED,
    SHIPPED,
    NAMED,
    DEMO,
    DEMO_DUAL_ENCODER
  }

  private final Kind kind;
  private final List<String> names;
  private final List<String> sha256;

  private ModelSource(Kind kind, List<String> names, List<String> sha256) {
    this.kind = kind;
    this.names = List.copyOf(names);
    this.sha256 = List.copyOf(sha256);
  }

  /** A GGUF file at a path that all executors see, such as a dual encoder's. */
  public static ModelSource shared(String model) {
    return new ModelSource(Kind.SHARED, List.of(model), List.of());
  }

  /** A text model and its image encoder at paths that all executors see. */
  public static ModelSource shared(String model, String mmproj) {
    return new ModelSource(Kind.SHARED, List.of(model, mmproj), List.of());
  }

  /** A GGUF file that came with {@code --files} or {@code SparkContext.addFile}, by its name. */
  public static ModelSource shipped(String model) {
    return new ModelSource(Kind.SHIPPED, List.of(model), List.of());
  }

  /** A text model and its image encoder that came with {@code --files}, by their names. */
  public static ModelSource shipped(String model, String mmproj) {
    return new ModelSource(Kind.SHIPPED, List.of(model, mmproj), List.of());
  }

  /**
   * A model by its name, such as {@code hf://ggml-org/SmolVLM-500M-Instruct-GGUF:Q8_0}: taken from
   * the cache of each machine, and fetched where it is missing, once for all its processes.
   */
  public static ModelSource named(String name) {
    return new ModelSource(Kind.NAMED, List.of(name), List.of());
  }

  /** The embedded model that chats about drawn shapes, for trying things out. */
  public static ModelSource demo() {
    return new ModelSource(Kind.DEMO, List.of(), List.of());
  }

  /** The embedded dual encoder. */
  public static ModelSource demoDualEncoder() {
    return new ModelSource(Kind.DEMO_DUAL_ENCODER, List.of(), List.of());
  }

  /**
   * With the hashes that the files must have, in hex: of the text model, then of the image encoder
   * if there is one.
   */
  public ModelSource withSha256(String... hashes) {
    List<String> all = new ArrayList<>();
    for (String hash : hashes) {
      all.add(FileHashes.requireSha256(hash));
    }
    int expected =
        kind == Kind.DEMO ? 2 : kind == Kind.NAMED ? all.size() : Math.max(1, names.size());
    if (all.isEmpty() || all.size() != expected || all.size() > 2) {
      throw new IllegalArgumentException(
          "SHA-256: expected one for each file of the model, found " + all.size());
    }
    return new ModelSource(kind, names, all);
  }

  /**
   * With the hashes of the files as they are on this machine, which is to be the driver: executors
   * that have others fail instead of answering with another model.
   *
   * @throws IOException if they are not here, or cannot be read
   */
  public ModelSource pinned() throws IOException {
    return new ModelSource(kind, names, LocatedModel.find(this).sha256());
  }

  /**
   * The hash of the whole model, which is in every row: the SHA-256 of its file, or of the two
   * hashes joined by a space.
   *
   * @throws IllegalStateException if hashes are not known; see {@link #pinned}
   */
  public String hash() {
    if (sha256.isEmpty()) {
      throw new IllegalStateException(
          "the model's hash is not known here; give it with withSha256, or use pinned()");
    }
    return FileHashes.ofModel(sha256);
  }

  Kind kind() {
    return kind;
  }

  String model() {
    return names.get(0);
  }

  @Nullable String mmproj() {
    return names.size() > 1 ? names.get(1) : null;
  }

  /** Those that are asked for; empty if any will do. */
  List<String> expected() {
    return sha256;
  }

  @Override
  public String toString() {
    return kind.name().toLowerCase(java.util.Locale.ROOT) + names;
  }
}
