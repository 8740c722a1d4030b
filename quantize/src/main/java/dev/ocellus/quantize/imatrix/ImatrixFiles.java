package dev.ocellus.quantize.imatrix;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.MappedFile;
import dev.ocellus.quantize.imatrix.ImportanceMatrix.Entry;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Reads importance matrices, of both formats that llama-imatrix has had. */
final class ImatrixFiles {
  static final String DATASETS = "imatrix.datasets";
  static final String CHUNK_COUNT = "imatrix.chunk_count";
  static final String CHUNK_SIZE = "imatrix.chunk_size";
  static final String SUMS = ".in_sum2";
  static final String COUNTS = ".counts";

  /** The old format has no header; no matrix of a real model is larger. */
  private static final long MAX_OLD_BYTES = 1L << 30;

  private ImatrixFiles() {}

  static ImportanceMatrix read(Path file) throws IOException {
    MappedFile.attributes(file, ".gguf"); // a pipe would block
    byte[] magic = new byte[4];
    try (var in = Files.newInputStream(file)) {
      in.readNBytes(magic, 0, 4);
    }
    return new String(magic, StandardCharsets.US_ASCII).equals("GGUF")
        ? readGguf(file)
        : readOld(file);
  }

  private static ImportanceMatrix readGguf(Path path) throws IOException {
    try (GgufFile file = GgufFile.open(path)) {
      GgufMetadata m = file.metadata();
      if (!m.contains(DATASETS) || !m.contains(CHUNK_COUNT) || !m.contains(CHUNK_SIZE)) {
        throw noMatrix(path, "the keys %s, %s and %s".formatted(DATASETS, CHUNK_COUNT, CHUNK_SIZE));
      }
      Map<String, Entry> entries = new TreeMap<>();
      for (GgufTensor sums : file.tensors()) {
        if (!sums.name().endsWith(SUMS)) {
          if (sums.name().endsWith(COUNTS)) {
            require(path, file, sums.name(), COUNTS, SUMS);
          }
          continue;
        }
        GgufTensor counts = require(path, file, sums.name(), SUMS, COUNTS);
        if (sums.type() != TensorType.F32
            || counts.type() != TensorType.F32
            || sums.nElements() % counts.nElements() != 0) {
          throw noMatrix(path, "sums and counts of F32 that fit together for " + sums.name());
        }
        float[] stored = counts.floats();
        long[] n = new long[stored.length];
        for (int i = 0; i < n.length; i++) {
          if (!(stored[i] >= 0 && stored[i] <= ImportanceMatrix.MAX_COUNT)) {
            throw noMatrix(
                path, "%s from 0 to 2^53, found %s at %d".formatted(counts.name(), stored[i], i));
          }
          n[i] = Math.round((double) stored[i]);
        }
        entries.put(
            sums.name().substring(0, sums.name().length() - SUMS.length()),
            new Entry(sums.floats(), n));
      }
      if (entries.isEmpty()) {
        throw noMatrix(path, "at least one tensor NAME" + SUMS);
      }
      return new ImportanceMatrix(
          entries, m.strings(DATASETS), u32(path, m, CHUNK_COUNT), u32(path, m, CHUNK_SIZE));
    }
  }

  /** A number as llama-imatrix writes it, whatever type a file gives it. */
  private static long u32(Path path, GgufMetadata m, String key) {
    long value = m.integer(key);
    if (value < 0 || value > ImportanceMatrix.MAX_CHUNKS) {
      throw noMatrix(path, "%s from 0 to 2^32 - 1, found %d".formatted(key, value));
    }
    return value;
  }

  private static GgufTensor require(
      Path path, GgufFile file, String name, String suffix, String other) {
    String partner = name.substring(0, name.length() - suffix.length()) + other;
    return file.findTensor(partner)
        .orElseThrow(() -> noMatrix(path, "%s beside %s".formatted(partner, name)));
  }

  /** Entries of name, calls, and means times calls; then calls and the data set's name. */
  private static ImportanceMatrix readOld(Path path) throws IOException {
    if (Files.size(path) > MAX_OLD_BYTES) {
      throw noMatrix(path, "a GGUF file, or one of llama-imatrix's older format below 1 GiB");
    }
    ByteBuffer in = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    int n = count(path, in, 1);
    Map<String, Entry> entries = new TreeMap<>();
    for (int i = 0; i < n; i++) {
      String name = text(path, in);
      int calls = count(path, in, 0);
      int nValues = count(path, in, 1);
      if (nValues > in.remaining() / 4) {
        throw noMatrix(path, nValues + " values of " + name);
      }
      float[] values = new float[nValues];
      in.asFloatBuffer().get(values);
      in.position(in.position() + 4 * nValues);
      entries.put(name, new Entry(values, new long[] {calls}));
    }
    long chunks = in.remaining() >= 4 ? count(path, in, 0) : 0;
    List<String> datasets = in.remaining() >= 4 ? List.of(text(path, in)) : List.of();
    return new ImportanceMatrix(entries, datasets, chunks, 0);
  }

  private static String text(Path path, ByteBuffer in) {
    int n = count(path, in, 0);
    if (n > in.remaining()) {
      throw noMatrix(path, "a name of " + n + " bytes");
    }
    byte[] bytes = new byte[n];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static int count(Path path, ByteBuffer in, int min) {
    if (in.remaining() < 4) {
      throw noMatrix(path, "more data at byte " + in.position());
    }
    int n = in.getInt();
    if (n < min) {
      throw noMatrix(path, "a count of at least " + min + " at byte " + (in.position() - 4));
    }
    return n;
  }

  private static ImatrixException noMatrix(Path path, String expected) {
    return new ImatrixException(
        "%s is no importance matrix: expected %s. Make one with 'ocellus imatrix' or llama-imatrix."
            .formatted(path, expected));
  }
}
