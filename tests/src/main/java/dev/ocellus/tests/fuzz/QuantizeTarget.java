package dev.ocellus.tests.fuzz;

import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Quantizes extreme weights with extreme importance to every type. */
final class QuantizeTarget extends GeneratedTarget {
  @Override
  public void prepare() {
    ExtremeModel.makeTables();
  }

  @Override
  public String name() {
    return "quantize";
  }

  @Override
  void run(SplittableRandom random, Path folder) throws Exception {
    TensorType type = EdgeValues.one(ExtremeModel.TYPES, random);
    float[] weights = ExtremeModel.values(random, ExtremeModel.WIDTH * random.nextInt(1, 4), true);
    ImportanceMatrix importance = null;
    if (RowCodec.needsImportance(type) || random.nextInt(4) > 0) {
      float[] sums = ExtremeModel.values(random, ExtremeModel.WIDTH, random.nextInt(20) == 0);
      var entry = new ImportanceMatrix.Entry(sums, new long[] {random.nextInt(1, 1000)});
      importance = new ImportanceMatrix(Map.of(ExtremeModel.TENSOR, entry), List.of("x"), 1, 512);
    }
    ExtremeModel.quantize(folder, weights, type, importance);
  }
}
