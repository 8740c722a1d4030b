package dev.ocellus.quantize.file;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufFormatException;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.io.AtomicFileSet;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Splits a model into several files and joins them, with llama-gguf-split's names and metadata. */
public final class GgufSplitter {
  private static final int ALIGNMENT = 32;
  private static final int MOST_PARTS = 0xffff;
  private static final String NUMBER = "split.no";
  private static final String COUNT = "split.count";
  private static final String TENSORS = "split.tensors.count";

  /** Where a file ends. */
  public sealed interface Limit {
    /** After so many tensors. */
    record Tensors(int count) implements Limit {
      public Tensors {
        if (count < 1) {
          throw new IllegalArgumentException("tensors: expected at least 1, found " + count);
        }
      }
    }

    /** Before its tensors take more bytes than this. */
    record Bytes(long bytes) implements Limit {
      public Bytes {
        if (bytes < 1) {
          throw new IllegalArgumentException("size: expected at least 1 byte, found " + bytes);
        }
      }
    }
  }

  private GgufSplitter() {}

  /**
   * The tensors of every part.
   *
   * @param emptyFirst whether the first part has metadata only
   */
  public static List<List<GgufTensor>> plan(GgufFile file, Limit limit, boolean emptyFirst) {
    List<List<GgufTensor>> parts = new ArrayList<>();
    if (emptyFirst) {
      parts.add(List.of());
    }
    List<GgufTensor> current = new ArrayList<>();
    long bytes = 0;
    int index = 0;
    for (GgufTensor t : file.tensors()) {
      long size = (t.byteSize() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
      boolean full =
          switch (limit) {
            case Limit.Tensors(int count) -> index > 0 && index % count == 0;
            case Limit.Bytes(long max) -> !current.isEmpty() && bytes + size > max;
          };
      if (full) {
        parts.add(current);
        current = new ArrayList<>();
        bytes = 0;
      }
      current.add(t);
      bytes += size;
      index++;
    }
    parts.add(current);
    if (parts.size() > MOST_PARTS) {
      throw new IllegalArgumentException(
          "%d parts are more than the format can number (%d). Choose larger parts."
              .formatted(parts.size(), MOST_PARTS));
    }
    return parts;
  }

  /**
   * Writes {@code PREFIX-00001-of-0000N.gguf} and so on. All appear when all are complete, the
   * first one last; what a split that was killed meanwhile left is replaced.
   *
   * @return the files
   * @throws IOException if one is there already, or cannot be written; none is left then
   */
  public static List<Path> split(GgufFile file, Path prefix, List<List<GgufTensor>> parts)
      throws IOException {
    List<Path> paths = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      paths.add(
          prefix.resolveSibling(
              "%s-%05d-of-%05d.gguf".formatted(prefix.getFileName(), i + 1, parts.size())));
    }
    requireFree(paths, parts);
    try (AtomicFileSet set = new AtomicFileSet()) {
      for (int i = 0; i < parts.size(); i++) {
        part(file, i, parts).write(set, paths.get(i));
      }
      set.commit();
    }
    return paths;
  }

  private static GgufWriter part(GgufFile file, int i, List<List<GgufTensor>> parts) {
    GgufWriter writer = new GgufWriter();
    if (i == 0) {
      writer.putAll(file.metadata());
    } else if (file.alignment() != ALIGNMENT) {
      writer.alignment(file.alignment());
    }
    for (String key : List.of(NUMBER, COUNT, TENSORS)) {
      writer.remove(key);
    }
    writer.u16(NUMBER, i);
    writer.i32(TENSORS, file.tensors().size());
    writer.u16(COUNT, parts.size());
    parts.get(i).forEach(writer::tensor);
    return writer;
  }

  /**
   * A set that lacks a part is no model; parts as this split writes them are of one that was
   * killed.
   */
  private static void requireFree(List<Path> paths, List<List<GgufTensor>> parts)
      throws IOException {
    boolean whole = paths.stream().allMatch(Files::exists);
    for (int i = 0; i < paths.size(); i++) {
      Path path = paths.get(i);
      if (Files.exists(path) && (whole || !isPart(path, i, parts))) {
        throw new FileAlreadyExistsException(
            path.toString(), null, "is there already; remove it or choose another prefix");
      }
    }
  }

  private static boolean isPart(Path path, int i, List<List<GgufTensor>> parts) throws IOException {
    try (GgufFile file = GgufFile.openShard(path)) {
      return file.metadata().integer(NUMBER, -1) == i
          && file.metadata().integer(COUNT, -1) == parts.size()
          && names(file.tensors()).equals(names(parts.get(i)));
    } catch (GgufFormatException e) {
      return false;
    }
  }

  private static List<String> names(List<GgufTensor> tensors) {
    return tensors.stream().map(GgufTensor::name).toList();
  }

  /**
   * Joins the parts of a model in one file.
   *
   * @param file opened by its first part
   * @throws IOException if the output exists or cannot be written
   */
  public static void merge(GgufFile file, Path output) throws IOException {
    if (Files.isRegularFile(output)) {
      throw new FileAlreadyExistsException(
          output.toString(), null, "is there already; remove it or choose another name");
    }
    GgufWriter writer = new GgufWriter().putAll(file.metadata());
    if (file.metadata().find(COUNT).isPresent()) {
      // llama.cpp takes 0 as: not split
      writer.put(COUNT, new GgufValue.Int(MetadataType.U16, 0));
    }
    file.tensors().forEach(writer::tensor);
    writer.write(output);
  }
}
