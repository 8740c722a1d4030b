package dev.ocellus.pickle;

import dev.ocellus.io.ForeignFile;
import dev.ocellus.io.MappedFile;
import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.SafetensorsType;
import dev.ocellus.safetensors.TensorFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The tensors of a file that {@code torch.save} wrote ({@code pytorch_model.bin}, {@code .pt},
 * {@code .pth}), memory-mapped: nothing of it is run, and nothing is on the heap but names and
 * shapes. Both forms are read, the ZIP archive and the sequence of pickles of before PyTorch 1.6.
 * Tensors may share their storage and lie in it in any order.
 *
 * <p>Shapes are those of PyTorch, outermost first. Safe for use by several threads; after {@link
 * #close()} reading data throws {@link IllegalStateException}.
 */
public final class PickleFile implements TensorFile {
  /** The magic number in digits: protocol 1 has no header. */
  private static final String PROTOCOL_1 = "L119547037146038801333356L\n";

  private static final int TAR_MAGIC_AT = 257;

  private final Path path;
  private final Arena arena;
  private final Map<String, StoredTensor> tensors;
  private final AtomicBoolean closed = new AtomicBoolean();

  private PickleFile(Path path, Arena arena, Map<String, StoredTensor> tensors) {
    this.path = path;
    this.arena = arena;
    this.tensors = tensors;
  }

  /**
   * Opens a file.
   *
   * @throws IOException if it is missing, is a directory or cannot be read
   * @throws PickleFormatException if it is no state dict, is damaged, or asks for anything that a
   *     state dict does not need
   */
  @SuppressWarnings("MustBeClosed") // the file that is returned owns and closes the arena
  public static PickleFile open(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    boolean ok = false;
    try {
      MemorySegment file = MappedFile.map(path, ".bin", arena);
      StoredState state = read(path, file);
      Map<String, StoredTensor> tensors = new LinkedHashMap<>();
      StateDict.of(path, state.root())
          .forEach((name, view) -> tensors.put(name, StoredTensor.of(view, state)));
      ok = true;
      return new PickleFile(path, arena, tensors);
    } finally {
      if (!ok) {
        arena.close();
      }
    }
  }

  private static StoredState read(Path path, MemorySegment file) {
    long n = Math.min(file.byteSize(), ForeignFile.HEAD_BYTES);
    byte[] head = file.asSlice(0, n).toArray(ValueLayout.JAVA_BYTE);
    Optional<ForeignFile.Description> foreign = ForeignFile.recognise(head);
    if (foreign.isPresent()) {
      throw new PickleFormatException(path, foreign.get());
    }
    String text = new String(head, StandardCharsets.ISO_8859_1);
    if (text.startsWith("PK\3\4")) {
      return ZipForm.read(path, file);
    }
    if (text.startsWith("\u0080") || text.startsWith(PROTOCOL_1)) {
      return LegacyForm.read(path, file);
    }
    boolean tar = text.startsWith("ustar", TAR_MAGIC_AT);
    throw new PickleFormatException(
        path,
        "start",
        "a ZIP archive or a pickle, as torch.save writes them",
        tar ? "a tar archive, as PyTorch wrote before 0.1.10" : n == 0 ? "nothing" : "neither",
        tar ? "Load it in PyTorch and save it again." : "Give a file that torch.save wrote.");
  }

  @Override
  public Path path() {
    return path;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(tensors.keySet());
  }

  @Override
  public boolean contains(String name) {
    return tensors.containsKey(name);
  }

  @Override
  public List<Long> shape(String name) {
    return tensor(name).shape();
  }

  @Override
  public SafetensorsType type(String name) {
    return tensor(name).type();
  }

  @Override
  public void read(String name, long first, float[] out, int offset, int count) {
    tensor(name).read(first, out, offset, count);
  }

  @Override
  public Optional<Memory> stored(String name) {
    return tensor(name).stored();
  }

  private StoredTensor tensor(String name) {
    StoredTensor t = tensors.get(name);
    if (t == null) {
      throw new PickleFormatException(
          path,
          "tensor " + PickleFormatException.quote(name),
          "such a tensor",
          "none among " + tensors.size());
    }
    return t;
  }

  /** Unmaps the file. Closing twice is allowed. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      arena.close();
    }
  }
}
