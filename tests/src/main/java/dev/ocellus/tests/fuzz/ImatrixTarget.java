package dev.ocellus.tests.fuzz;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Reads damaged importance matrices, merges them, and quantizes with what they say. */
final class ImatrixTarget implements Target {
  private static final String SUFFIX = ".imatrix";

  @Override
  public void prepare() {
    ExtremeModel.makeTables();
  }

  @Override
  public String name() {
    return "imatrix";
  }

  @Override
  public boolean isGguf() {
    return true;
  }

  @Override
  public boolean takes(Path file) {
    return file.toString().endsWith(SUFFIX);
  }

  @Override
  public List<Path> bases(Path work) throws IOException {
    Map<String, ImportanceMatrix.Entry> entries = new LinkedHashMap<>();
    float[] sums = new float[ExtremeModel.WIDTH];
    for (int i = 0; i < sums.length; i++) {
      sums[i] = 1 + i % 7;
    }
    entries.put(ExtremeModel.TENSOR, new ImportanceMatrix.Entry(sums, new long[] {512}));
    entries.put(
        "blk.0.ffn_up_exps.weight", new ImportanceMatrix.Entry(sums.clone(), new long[] {3, 0}));
    Path file = work.resolve("small" + SUFFIX);
    new ImportanceMatrix(entries, List.of("text"), 1, 512).write(file);
    return List.of(file);
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    ImportanceMatrix matrix = ImportanceMatrix.read(file);
    var random = new SplittableRandom(seed);
    Path folder = Files.createTempDirectory("ocellus-imatrix");
    try {
      TensorType type = EdgeValues.one(ExtremeModel.TYPES, random);
      float[] weights = ExtremeModel.values(random, ExtremeModel.WIDTH, true);
      ExtremeModel.quantize(folder, weights, type, matrix);
      matrix.plus(matrix).write(folder.resolve("merged"));
    } finally {
      for (String name : List.of("in.gguf", "out.gguf", "merged")) {
        Files.deleteIfExists(folder.resolve(name));
      }
      Files.delete(folder);
    }
  }
}
