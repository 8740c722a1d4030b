package dev.ocellus.tests.reference;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models with an adapter merged into image encoder and text answer as torch's merged model does.
 */
class AdaptedModelTest {
  private static final Path MODELS = Path.of("golden/models");
  private static final String MODEL = "qwen2.5-vl-lora";
  private static final String BASE = "qwen2.5-vl-blocks";

  @TempDir Path made;

  @TestFactory
  Stream<DynamicNode> answersAsTheMergedModel() throws IOException {
    Path out = Files.createDirectories(made.resolve(MODEL)).resolve("text.gguf");
    Converter.convert(
        MODELS.resolve(BASE).resolve("hf"),
        ConvertOptions.defaults()
            .withOutput(out, null)
            .withTypes(OutputType.F32, OutputType.F32)
            .withAdapters(List.of(MODELS.resolve(MODEL).resolve("adapter"))),
        ConvertProgress.NONE);
    Files.move(out.resolveSibling("mmproj-text.gguf"), out.resolveSibling("mmproj.gguf"));
    Reference golden = Reference.of(Path.of("golden")).withModels(made);
    return Stream.of(FidelityTest.container(golden, MODEL));
  }
}
