package dev.ocellus.quantize.imatrix;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Statistics of the activations that every weight is multiplied with: for each column the sum of
 * their squares, and how many there were. Files are in the GGUF format of llama-imatrix of
 * llama.cpp v0.4.0; its older format is read too.
 *
 * @param entries by name of the weight
 * @param datasets what the activations were computed from
 * @param nChunks portions of {@code chunkSize} tokens that were computed
 * @param chunkSize tokens of a portion; 0 if that is not known
 */
public record ImportanceMatrix(
    Map<String, Entry> entries, List<String> datasets, long nChunks, long chunkSize) {
  /** Most chunks, and most tokens of one: files keep them in 32 bits. */
  static final long MAX_CHUNKS = 0xFFFF_FFFFL;

  /** Most rows of one weight: as many as a double can count. */
  static final long MAX_COUNT = 1L << 53;

  /**
   * Statistics of one weight.
   *
   * @param sums sums of squares, the columns of one expert after those of the one before
   * @param counts rows that were summed: one number, or one for each expert
   */
  public record Entry(float[] sums, long[] counts) {
    public Entry {
      if (counts.length == 0 || sums.length == 0 || sums.length % counts.length != 0) {
        throw new IllegalArgumentException(
            "%d sums cannot be of %d matrices".formatted(sums.length, counts.length));
      }
    }

    /** The statistics of both together. */
    Entry plus(String name, Entry other) {
      if (sums.length != other.sums.length) {
        throw new ImatrixException(
            "%s: %d columns and %d columns cannot be merged. The importance matrices are of different models."
                .formatted(name, sums.length, other.sums.length));
      }
      // files of other versions have one number where others have one for every expert
      int n = Math.max(counts.length, other.counts.length);
      if (Math.min(counts.length, other.counts.length) != n
          && counts.length != 1
          && other.counts.length != 1) {
        throw new ImatrixException(
            "%s: statistics of %d and of %d experts cannot be merged. The importance matrices are of different models."
                .formatted(name, counts.length, other.counts.length));
      }
      float[] sum = sums.clone();
      for (int i = 0; i < sum.length; i++) {
        sum[i] += other.sums[i];
      }
      requireUsable("both importance matrices together", name, sum);
      long[] count = new long[n];
      for (int i = 0; i < n; i++) {
        count[i] =
            counts[counts.length == 1 ? 0 : i] + other.counts[other.counts.length == 1 ? 0 : i];
      }
      return new Entry(sum, count);
    }

    /** Mean square of every column; 1 where an expert was never asked. */
    float[] means() {
      float[] means = new float[sums.length];
      int nPerMatrix = sums.length / counts.length;
      for (int i = 0; i < means.length; i++) {
        long count = counts[i / nPerMatrix];
        means[i] = count > 0 ? sums[i] / (float) count : 1;
      }
      return means;
    }
  }

  public ImportanceMatrix {
    entries = Collections.unmodifiableMap(new TreeMap<>(entries));
    datasets = List.copyOf(datasets);
  }

  /** Without any statistics. */
  public static ImportanceMatrix empty(long chunkSize) {
    return new ImportanceMatrix(Map.of(), List.of(), 0, chunkSize);
  }

  /**
   * Reads a file of llama-imatrix or of {@link #write}.
   *
   * @throws IOException if it cannot be read
   * @throws dev.ocellus.gguf.GgufFormatException if it is a damaged GGUF file
   * @throws ImatrixException if it holds no importance matrix
   */
  public static ImportanceMatrix read(Path file) throws IOException {
    return ImatrixFiles.read(file);
  }

  /**
   * The statistics of both together.
   *
   * @throws ImatrixException if they are of different models
   */
  public ImportanceMatrix plus(ImportanceMatrix other) {
    if (other.chunkSize == 0 && chunkSize > 0) {
      return plus(other.inTokens(chunkSize));
    }
    Map<String, Entry> all = new TreeMap<>(entries);
    other.entries.forEach((name, entry) -> {
      Entry mine = all.get(name);
      all.put(name, mine == null ? entry : mine.plus(name, entry));
    });
    List<String> data = new ArrayList<>(datasets);
    data.addAll(other.datasets);
    long size = chunkSize > 0 ? chunkSize : other.chunkSize;
    return new ImportanceMatrix(all, data, chunks(all, size), size);
  }

  /** The old format counts portions and has means times portions; this has sums of tokens. */
  private ImportanceMatrix inTokens(long tokensPerChunk) {
    Map<String, Entry> scaled = new TreeMap<>();
    entries.forEach((name, e) -> {
      float[] sums = e.sums().clone();
      for (int i = 0; i < sums.length; i++) {
        sums[i] *= tokensPerChunk;
      }
      requireUsable("the importance matrix of the older format", name, sums);
      scaled.put(
          name,
          new Entry(
              sums, Arrays.stream(e.counts()).map(n -> tokens(name, n, tokensPerChunk)).toArray()));
    });
    return new ImportanceMatrix(scaled, datasets, nChunks, tokensPerChunk);
  }

  private static long tokens(String name, long nChunks, long tokensPerChunk) {
    if (nChunks > MAX_COUNT / Math.max(1, tokensPerChunk)) {
      throw new ImatrixException(
          "%s: %d chunks of %d tokens are more than can be counted. Is the importance matrix of the older format damaged?"
              .formatted(name, nChunks, tokensPerChunk));
    }
    return nChunks * tokensPerChunk;
  }

  /**
   * Portions of which the most asked weight has seen the tokens; the number is for people, and ends
   * where its 32 bits do.
   */
  static long chunks(Map<String, Entry> entries, long chunkSize) {
    long max =
        entries.values().stream().flatMapToLong(e -> Arrays.stream(e.counts())).max().orElse(0);
    return chunkSize > 0 ? Math.min(max / chunkSize, MAX_CHUNKS) : 0;
  }

  /**
   * What the quantizer needs of it.
   *
   * @param file how to call it in the metadata of the output
   */
  public Importance importance(String file) {
    Map<String, float[]> columns = new TreeMap<>();
    entries.forEach((name, entry) -> {
      float[] means = entry.means();
      requireUsable(file, name, means);
      columns.put(name, means);
    });
    return new Importance(columns, file, datasets, nChunks);
  }

  /** Sums of squares, and means of them, are finite and not negative. */
  private static void requireUsable(String where, String name, float[] values) {
    for (int i = 0; i < values.length; i++) {
      if (!(values[i] >= 0) || values[i] == Float.POSITIVE_INFINITY) {
        throw new ImatrixException(
            "%s: the importance of %s is %s in column %d, expected a finite number that is not negative. The file is damaged, or the model that it was made with; make the matrix again."
                .formatted(where, name, values[i], i));
      }
    }
  }

  /**
   * Writes it in llama-imatrix's layout, which llama-quantize reads.
   *
   * @throws IOException if it cannot be written; an older file stays then
   */
  public void write(Path file) throws IOException {
    GgufWriter writer = new GgufWriter();
    writer.string("general.type", "imatrix");
    writer.put(ImatrixFiles.DATASETS, GgufArray.ofStrings(datasets));
    writer.u32(ImatrixFiles.CHUNK_COUNT, nChunks);
    writer.u32(ImatrixFiles.CHUNK_SIZE, chunkSize);
    entries.forEach((name, entry) -> {
      int n = entry.counts().length;
      long perMatrix = entry.sums().length / n;
      float[] counts = new float[n];
      for (int i = 0; i < n; i++) {
        counts[i] = entry.counts()[i];
      }
      writer.tensor(
          name + ImatrixFiles.SUMS,
          entry.sums(),
          n == 1 ? new long[] {perMatrix} : new long[] {perMatrix, n});
      writer.tensor(
          name + ImatrixFiles.COUNTS, counts, n == 1 ? new long[] {1} : new long[] {1, n});
    });
    writer.write(file);
  }
}
