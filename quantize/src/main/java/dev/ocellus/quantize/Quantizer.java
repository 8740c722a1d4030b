package dev.ocellus.quantize;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.io.AtomicFileSet;
import dev.ocellus.quantize.imatrix.Importance;
import java.io.EOFException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Quantizes GGUF files: text models, image encoders and any others. The bytes are those of
 * llama-quantize of llama.cpp v0.4.0, from the same library, with any number of threads.
 *
 * <p>Rows are read, computed and written in portions, so memory does not depend on the size of a
 * tensor. The output appears under its name when it is complete.
 */
public final class Quantizer {
  /** Told what is being written. */
  @FunctionalInterface
  public interface Listener {
    /** The tensor at {@code index} of {@code count} begins. */
    void tensor(int index, int count, PlannedTensor tensor);
  }

  private static final String FILE_TYPE = "general.file_type";
  private static final String VERSION = "general.quantization_version";
  private static final int CURRENT_VERSION = 2; // GGML_QNT_VERSION of ggml.h

  private Quantizer() {}

  /**
   * Chooses the type of every tensor.
   *
   * @throws QuantizeException if a tensor fits no type
   */
  public static QuantizePlan plan(GgufFile file, QuantizeOptions options) {
    return Planner.plan(file, options);
  }

  /**
   * Sees whether a plan can be carried out, without computing anything.
   *
   * @throws MissingImportanceException if a type of few bits lacks importance
   * @throws QuantizeException if a tensor must not or cannot be converted
   */
  public static void check(QuantizePlan plan) {
    PlanChecks.check(plan);
  }

  /**
   * Carries out a plan.
   *
   * @param output name of the file; with {@link QuantizeOptions#keepSplit} what comes before {@code
   *     -00001-of-00003.gguf}
   * @param flag stops the work when set
   * @return the files that were written
   * @throws java.util.concurrent.CancellationException if it was stopped
   * @throws InvalidTensorDataException if a tensor holds NaN or infinite values
   * @throws QuantizeException as {@link #check}
   * @throws IOException if a file cannot be read or written; no output is left then
   */
  public static List<Path> run(
      GgufFile file, QuantizePlan plan, Path output, Listener listener, CancellationFlag flag)
      throws IOException {
    check(plan);
    List<List<PlannedTensor>> parts = parts(file, plan);
    List<Path> names = names(plan, output, parts.size());
    for (Path name : names) {
      for (Path source : file.files()) {
        if (Files.exists(name) && Files.isSameFile(name, source)) {
          throw new IllegalArgumentException(
              "output: %s is the input; give another name".formatted(name));
        }
      }
    }
    try (SourceFiles sources = new SourceFiles(file);
        RowPipeline pipeline = new RowPipeline(plan.tensors(), sources, plan.options(), flag);
        AtomicFileSet set = new AtomicFileSet()) {
      int first = 0;
      for (int i = 0; i < parts.size(); i++) {
        GgufWriter writer = writer(file, plan, parts, i, first, pipeline, listener);
        first += parts.get(i).size();
        Path name = names.get(i);
        naming(
            name,
            () -> {
              if (parts.size() == 1) {
                writer.write(name); // which may be a device or a pipe
              } else {
                writer.write(set, name);
              }
            });
      }
      set.commit();
    }
    return names;
  }

  private static GgufWriter writer(
      GgufFile file,
      QuantizePlan plan,
      List<List<PlannedTensor>> parts,
      int part,
      int first,
      RowPipeline pipeline,
      Listener listener) {
    GgufWriter writer = new GgufWriter();
    metadata(file, plan, part, parts.size()).forEach(writer::put);
    int index = first;
    for (PlannedTensor t : parts.get(part)) {
      int at = index++;
      writer.tensor(
          t.name(),
          t.type(),
          sink -> {
            listener.tensor(at, plan.tensors().size(), t);
            pipeline.writeTo(t, sink);
          },
          Shapes.of(t.tensor()));
    }
    return writer;
  }

  private interface Writing {
    void run() throws IOException;
  }

  /** The system's message about a full disk does not tell which file. */
  private static void naming(Path path, Writing writing) throws IOException {
    try {
      writing.run();
    } catch (FileSystemException | InterruptedIOException | EOFException e) {
      throw e;
    } catch (IOException e) {
      String reason = e.getMessage() == null ? e.toString() : e.getMessage();
      throw (IOException)
          new FileSystemException(path.toString(), null, "could not be written: " + reason)
              .initCause(e);
    }
  }

  private static List<List<PlannedTensor>> parts(GgufFile file, QuantizePlan plan) {
    if (!plan.options().keepSplit()) {
      return List.of(plan.tensors());
    }
    Map<Path, List<PlannedTensor>> byFile = new LinkedHashMap<>();
    file.files().forEach(path -> byFile.put(path, new ArrayList<>()));
    for (PlannedTensor t : plan.tensors()) {
      byFile.computeIfAbsent(t.tensor().file(), path -> new ArrayList<>()).add(t);
    }
    return List.copyOf(byFile.values());
  }

  private static List<Path> names(QuantizePlan plan, Path output, int count) {
    if (!plan.options().keepSplit()) {
      return List.of(output);
    }
    String prefix = String.valueOf(output.getFileName()).replaceFirst("\\.gguf$", "");
    List<Path> names = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      names.add(output.resolveSibling("%s-%05d-of-%05d.gguf".formatted(prefix, i + 1, count)));
    }
    return names;
  }

  /** In llama.cpp's order: what changes comes last. */
  private static Map<String, GgufValue> metadata(
      GgufFile file, QuantizePlan plan, int part, int count) {
    Map<String, GgufValue> m = new LinkedHashMap<>();
    if (part == 0) {
      m.putAll(file.metadata().asMap());
      List.of("split.no", "split.count", "split.tensors.count").forEach(m::remove);
      setLast(m, VERSION, u32(CURRENT_VERSION));
      if (plan.options().recipe() != Recipe.COPY) {
        setLast(m, FILE_TYPE, u32(plan.options().recipe().fileType()));
      } else if (m.get(FILE_TYPE) instanceof GgufValue.Int same) {
        setLast(m, FILE_TYPE, u32(same.value()));
      }
      plan.options().metadata().forEach((key, value) -> setLast(m, key, value));
      Importance importance = plan.options().importance();
      if (importance != null && !importance.tensors().isEmpty()) {
        describe(importance, m);
      }
    }
    if (count > 1) {
      m.put("split.no", new GgufValue.Int(MetadataType.U16, part));
      m.put("split.count", new GgufValue.Int(MetadataType.U16, count));
      m.put("split.tensors.count", new GgufValue.Int(MetadataType.I32, plan.tensors().size()));
    }
    return m;
  }

  /** What llama-quantize notes about the importance matrix that it used. */
  private static void describe(Importance importance, Map<String, GgufValue> m) {
    setLast(m, "quantize.imatrix.file", shortened(importance.file()));
    if (!importance.datasets().isEmpty()) {
      setLast(m, "quantize.imatrix.dataset", shortened(importance.datasets().getFirst()));
    }
    setLast(m, "quantize.imatrix.entries_count", u32(importance.tensors().size()));
    if (importance.nChunks() > 0) {
      setLast(m, "quantize.imatrix.chunks_count", u32(importance.nChunks()));
    }
  }

  /** The first 127 bytes, for which llama.cpp has room. */
  private static GgufValue shortened(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    return GgufString.of(Arrays.copyOf(utf8, Math.min(127, utf8.length)));
  }

  private static void setLast(Map<String, GgufValue> m, String key, GgufValue value) {
    m.remove(key);
    m.put(key, value);
  }

  private static GgufValue u32(long n) {
    return new GgufValue.Int(MetadataType.U32, n);
  }
}
