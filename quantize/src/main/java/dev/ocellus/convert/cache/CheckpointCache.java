package dev.ocellus.convert.cache;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.io.Sha256;
import dev.ocellus.nativelib.CacheDirectory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Keeps converted checkpoints, so that a folder in HuggingFace's layout can be run as it is. It is
 * converted again when one of its files changes, or when what was kept is damaged; the files of
 * what it was before are removed when no process uses them any more.
 *
 * <p>libllama could take the tensors without a file ({@code llama_model_init_from_user}), but then
 * maps nothing, does not rearrange weights for the processor, and creates every tensor that an
 * architecture may have, whether this model has it or not; so a mapped file is faster and smaller.
 */
public final class CheckpointCache {
  /** Raised when a conversion gives other files than before. */
  private static final String VERSION = "ocellus-convert 8";

  private static final Set<String> INPUTS = Set.of("json", "model", "jinja", "txt", "tiktoken");

  /**
   * The files that stand for a checkpoint.
   *
   * @param text the text model
   * @param mmproj the image encoder, or null where there is none or none was asked for
   */
  public record Converted(Path text, @Nullable Path mmproj) {}

  /**
   * Weights, as they are stored, up to which F32 costs nobody anything. ggml rounds activations to
   * the type of 16-bit matrices, which tips the choice between tokens that are nearly as good.
   */
  private static final long EXACT_BYTES = 512L << 20;

  private final Path root;
  private final long exactBytes;

  /** A cache in a folder, which is created, for this user alone, when something is put there. */
  public CheckpointCache(Path root) {
    this(root, EXACT_BYTES);
  }

  /**
   * @param exactBytes size of the weights up to which they become F32
   */
  CheckpointCache(Path root, long exactBytes) {
    this.root = root;
    this.exactBytes = exactBytes;
  }

  /**
   * The GGUF files of a checkpoint, converted if they are not there yet, or not as they were
   * written: in F32, so that nothing is rounded, where the weights take up to 512 MiB, and else in
   * its own 16-bit type. Safe for several threads and processes at once: one converts, the others
   * wait for it. The files stay as long as this process runs.
   *
   * @param withEncoder whether the image encoder is wanted
   * @throws IOException if a file cannot be read or written, or the cache belongs to another user
   *     or can be written by everybody
   * @throws dev.ocellus.OcellusException if the checkpoint cannot be converted
   * @throws java.util.concurrent.CancellationException if {@code progress} ended it
   */
  public Converted convert(Path folder, boolean withEncoder, ConvertProgress progress)
      throws IOException {
    Path real = folder.toRealPath();
    String name = "%s-%s-".formatted(HfFolder.nameOf(real), hash(real.toString(), 8));
    CacheDirectory.create(root);
    Path directory = root.resolve(name + hash(listing(real), 16));
    Path text = directory.resolve("text.gguf");
    Path mmproj = directory.resolve("mmproj.gguf");
    try (EntryLock.Exclusive lock = EntryLock.acquire(directory)) {
      CacheDirectory.create(directory);
      CompleteMarker marker = CompleteMarker.read(directory);
      if (withEncoder && !marker.knows(mmproj)) {
        write(real, mmproj, false, progress);
        marker = marker.with(mmproj);
      }
      if (!marker.knows(text)) {
        write(real, text, true, progress);
        marker = marker.with(text);
      }
      marker.write();
      lock.keepInUse();
    }
    removeOthers(directory, name);
    return new Converted(text, withEncoder && Files.exists(mmproj) ? mmproj : null);
  }

  /**
   * The GGUF file of what makes images in a checkpoint, kept as {@link #convert} keeps its files.
   *
   * @throws IOException if a file cannot be read or written, or the cache belongs to another user
   *     or can be written by everybody
   * @throws dev.ocellus.OcellusException if the checkpoint has nothing that makes images, or cannot
   *     be converted
   * @throws java.util.concurrent.CancellationException if {@code progress} ended it
   */
  public Path generator(Path folder, ConvertProgress progress) throws IOException {
    Path real = folder.toRealPath();
    String name = "%s-%s-".formatted(HfFolder.nameOf(real), hash(real.toString(), 8));
    CacheDirectory.create(root);
    Path directory = root.resolve(name + hash(listing(real), 16));
    Path file = directory.resolve("generator.gguf");
    try (EntryLock.Exclusive lock = EntryLock.acquire(directory)) {
      CacheDirectory.create(directory);
      CompleteMarker marker = CompleteMarker.read(directory);
      if (!marker.knows(file)) {
        write(real, file, ConvertOptions.defaults().withParts(false, Encoders.NO), progress);
        marker = marker.with(file);
      }
      marker.write();
      lock.keepInUse();
    }
    removeOthers(directory, name);
    return file;
  }

  private static String hash(String text, int digits) {
    return Sha256.hex(text).substring(0, digits);
  }

  private void write(Path folder, Path to, boolean text, ConvertProgress progress)
      throws IOException {
    ConvertOptions parts =
        ConvertOptions.defaults()
            .withParts(text, text ? Encoders.NO : Encoders.IF_THERE)
            .withGenerator(false);
    write(folder, to, parts, progress);
  }

  private void write(Path folder, Path to, ConvertOptions parts, ConvertProgress progress)
      throws IOException {
    Files.deleteIfExists(to); // damaged, or from a run that was ended before its marker
    OutputType type =
        HfFolder.bytesOfWeights(folder) <= exactBytes ? OutputType.F32 : OutputType.AUTO;
    ConvertOptions options =
        parts.withOutput(to, null).withTypes(type, type).withModelName(HfFolder.nameOf(folder));
    Converter.convert(folder, options, progress);
  }

  /** What the checkpoint is: names, sizes and times of the files that conversion reads. */
  private static String listing(Path folder) throws IOException {
    StringBuilder out = new StringBuilder(VERSION);
    for (Path file : files(folder)) {
      String name = String.valueOf(file.getFileName());
      String suffix = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
      boolean read = INPUTS.contains(suffix) || HfFolder.isWeights(suffix);
      if (read && Files.isRegularFile(file)) {
        out.append("\n%s %d %d".formatted(name, Files.size(file), CompleteMarker.modified(file)));
      }
    }
    return out.toString();
  }

  private static List<Path> files(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.sorted().toList();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** Removes what the same folder was converted to earlier, unless a process uses it. */
  private void removeOthers(Path directory, String name) throws IOException {
    for (Path other : files(root)) {
      if (!other.equals(directory)
          && String.valueOf(other.getFileName()).startsWith(name)
          && Files.isDirectory(other)) {
        EntryLock.ifUnused(
            other,
            () -> {
              for (Path file : files(other)) {
                Files.deleteIfExists(file);
              }
              Files.deleteIfExists(other);
            });
      }
    }
  }
}
