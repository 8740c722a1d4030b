package dev.ocellus.gguf;

import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A GGUF model file (version 2 or 3, little-endian), memory-mapped and validated.
 *
 * <p>Opening reads the header only and checks every count, length, type and offset in it before
 * use, so that whatever comes out of an open file is consistent. Tensor data and metadata arrays
 * stay in the mapping until they are asked for; files may exceed 2 GiB and the memory.
 *
 * <p>Safe for use by several threads. After {@link #close()} every string, array and tensor segment
 * throws {@link IllegalStateException}.
 *
 * <p><b>Files that change while in use.</b> On Linux and macOS another process can truncate a
 * mapped file (Windows forbids it). Touching a page that is gone raises SIGBUS, which the JVM turns
 * into an {@link InternalError} in the thread that reads through this class, and which kills the
 * process when native code reads a mapping of its own. Nothing can prevent that; {@link
 * #checkUnchanged()} finds it out before the data is handed on. {@link GgufWriter} replaces files
 * by renaming, which never disturbs an open one.
 */
public final class GgufFile implements AutoCloseable {
  private final Arena arena;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final List<MappedGguf> parts;
  private final GgufMetadata metadata;
  private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();

  private GgufFile(Arena arena, List<MappedGguf> parts) {
    this.arena = arena;
    this.parts = parts;
    MappedGguf first = parts.getFirst();
    this.metadata = new GgufMetadata(first.path(), first.header().metadata());
    for (MappedGguf part : parts) {
      for (GgufParser.Entry t : part.header().tensors()) {
        tensors.put(
            t.name(),
            new GgufTensor(
                t.name(),
                t.shape(),
                t.type(),
                part.path(),
                t.offset(),
                t.bytes(),
                new Memory(part.data().asSlice(t.offset(), t.bytes()))));
      }
    }
  }

  /**
   * Opens a model. Of a model in several files give the first ({@code …-00001-of-0000N.gguf}); the
   * others are found beside it.
   *
   * @throws IOException if a file is missing, is a directory or cannot be read
   * @throws GgufFormatException if a file is not a valid GGUF file
   */
  public static GgufFile open(Path path) throws IOException {
    return open(path, true);
  }

  /**
   * Opens this file only, even where it is one part of a split model.
   *
   * @throws IOException if the file is missing, is a directory or cannot be read
   * @throws GgufFormatException if it is not a valid GGUF file
   */
  public static GgufFile openShard(Path path) throws IOException {
    return open(path, false);
  }

  @SuppressWarnings("MustBeClosed") // the file that is returned owns and closes the arena
  private static GgufFile open(Path path, boolean siblings) throws IOException {
    Arena arena = Arena.ofShared();
    boolean ok = false;
    try {
      MappedGguf first = MappedGguf.open(path, arena);
      GgufFile file =
          new GgufFile(arena, siblings ? SplitFiles.open(first, arena) : List.of(first));
      ok = true;
      return file;
    } finally {
      if (!ok) {
        arena.close();
      }
    }
  }

  /** The file that was opened; of a split model the first. */
  public Path path() {
    return parts.getFirst().path();
  }

  /** All files of the model, in order. */
  public List<Path> files() {
    return parts.stream().map(MappedGguf::path).toList();
  }

  /**
   * What tells this model from others: a hash over metadata, the table of tensors, and samples of
   * every tensor, in lower-case hex. The same for every copy of the file, and cheap for large ones.
   */
  public String identity() {
    return GgufIdentity.of(parts);
  }

  /** Format version, 2 or 3. */
  public int version() {
    return parts.getFirst().header().version();
  }

  /** Alignment of tensor data in bytes. */
  public int alignment() {
    return parts.getFirst().header().alignment();
  }

  /** Size of all files in bytes. */
  public long byteSize() {
    return parts.stream().mapToLong(p -> p.data().byteSize()).sum();
  }

  /** The metadata; of a split model that of the first file. */
  public GgufMetadata metadata() {
    return metadata;
  }

  /** All tensors in file order. */
  public List<GgufTensor> tensors() {
    return List.copyOf(tensors.values());
  }

  /** The tensor of this name, if there is one. */
  public Optional<GgufTensor> findTensor(String name) {
    return Optional.ofNullable(tensors.get(name));
  }

  /**
   * The tensor of this name.
   *
   * @throws GgufFormatException if there is none
   */
  public GgufTensor tensor(String name) {
    return findTensor(name)
        .orElseThrow(() ->
            new GgufFormatException(
                path(),
                GgufFormatException.NOWHERE,
                "tensor " + Quote.of(name),
                "such a tensor",
                "none among " + tensors.size(),
                "The file was converted incompletely or for another architecture."));
  }

  /**
   * Checks that the files still have the size and time of modification that they had when opened.
   *
   * @throws GgufFormatException if one was changed
   * @throws IOException if one is gone
   */
  public void checkUnchanged() throws IOException {
    for (MappedGguf p : parts) {
      p.checkUnchanged();
    }
  }

  /**
   * Checks what the format allows but ggml refuses or would abort on. Call it before the path is
   * given to native code.
   *
   * @throws GgufFormatException if ggml cannot read the file
   */
  public void requireReadableByGgml() {
    for (MappedGguf p : parts) {
      p.header()
          .metadata()
          .forEach((key, v) -> {
            if (v instanceof GgufArray a && a.elementType() == MetadataType.ARRAY) {
              throw unreadable(p, "metadata " + Quote.of(key), "no array of arrays", "one");
            }
          });
      int alignment = p.header().alignment();
      if (alignment % GgufParser.DEFAULT_ALIGNMENT != 0 && !p.header().tensors().isEmpty()) {
        throw unreadable(
            p,
            "metadata " + Quote.of(GgufParser.ALIGNMENT_KEY),
            "a multiple of " + GgufParser.DEFAULT_ALIGNMENT + ", as CPU tensors need it",
            "" + alignment);
      }
    }
  }

  private static GgufFormatException unreadable(
      MappedGguf p, String what, String expected, String found) {
    return new GgufFormatException(
        p.path(),
        GgufFormatException.NOWHERE,
        what,
        expected,
        found,
        "The file is valid, but ggml cannot read it; convert the model again.");
  }

  /** Unmaps the files. Closing twice is allowed. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      arena.close();
    }
  }

  @Override
  public String toString() {
    List<Path> names = new ArrayList<>(files());
    return "GgufFile" + names;
  }
}
