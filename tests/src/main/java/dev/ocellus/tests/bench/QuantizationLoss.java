package dev.ocellus.tests.bench;

import dev.ocellus.quantize.Recipe;
import dev.ocellus.tests.bench.QuantizedFamily.ModelFiles;
import dev.ocellus.tests.bench.QuantizedFamily.Outputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The table of docs/quantization.md about families that see: what each recipe costs of a cosine.
 */
public final class QuantizationLoss {
  private QuantizationLoss() {}

  /**
   * {@code --models DIR [--only NAME,NAME]}: the golden data's models; prints a line for each
   * recipe with two numbers for each family, images and texts.
   */
  public static void main(String[] args) throws IOException {
    var options = new Options(args);
    Path models = options.path("--models");
    List<String> only = List.of(options.text("--only", "").split(","));
    Path directory = Files.createTempDirectory("ocellus-loss");
    try {
      List<QuantizedFamily> families =
          QuantizedFamily.all().stream()
              .filter(f -> only.contains("") || only.contains(f.name()))
              .toList();
      print(families, models, directory);
    } finally {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(directory);
    }
  }

  private static void print(List<QuantizedFamily> families, Path models, Path directory)
      throws IOException {
    List<ModelFiles> files = new ArrayList<>();
    List<Outputs> exact = new ArrayList<>();
    for (QuantizedFamily family : families) {
      files.add(family.make(models, directory));
      exact.add(family.outputs(files.getLast()));
    }
    System.out.println("recipe " + families.stream().map(QuantizedFamily::name).toList());
    for (Recipe recipe : Recipe.values()) {
      if (recipe == Recipe.COPY || recipe == Recipe.F32) {
        continue;
      }
      StringBuilder line = new StringBuilder("| " + recipe);
      for (int i = 0; i < families.size(); i++) {
        ModelFiles small = families.get(i).quantize(files.get(i), recipe, directory);
        Outputs outputs = families.get(i).outputs(small);
        line.append(
            String.format(
                Locale.ROOT,
                " | %.1f %% %.5f %.5f",
                100.0 * QuantizedFamily.bytes(small) / QuantizedFamily.bytes(files.get(i)),
                exact.get(i).imageCosine(outputs),
                exact.get(i).textCosine(outputs)));
        Files.delete(small.text());
        if (small.mmproj() != null) {
          Files.delete(small.mmproj());
        }
      }
      System.out.println(line + " |");
    }
  }
}
