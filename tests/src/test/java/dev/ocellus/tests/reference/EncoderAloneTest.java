package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Gemma 4's 12B: pixels and embeddings are those of transformers. Its text model is libllama's, in
 * which the embeddings of an image attend to each other in layers with a window only, where
 * transformers 5.18 has it in all; so no tokens are compared.
 */
class EncoderAloneTest {
  private static final String MODEL = "gemma4-unified";

  @TempDir Path made;

  @ParameterizedTest
  @ValueSource(strings = {"case0", "case1"})
  void encodesAsTransformers(String name) throws IOException {
    Path root = Path.of("golden");
    Path folder = root.resolve("models").resolve(MODEL);
    Path out = Files.createDirectories(made.resolve(MODEL)).resolve("mmproj.gguf");
    Converter.convert(
        folder.resolve("hf"),
        ConvertOptions.defaults()
            .withParts(false, Encoders.YES)
            .withOutput(out, null)
            .withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    ReferenceCase c = ReferenceCase.read(root, folder.resolve("cases").resolve(name));
    FidelityHarness.Embeddings found =
        FidelityHarness.embeddings(Reference.of(root).withModels(made), MODEL, c);
    assertThat(found.pixels().maxError()).isLessThanOrEqualTo(Tolerances.PIXELS);
    assertThat(found.rows().maxError()).isLessThan(Tolerances.rows(MODEL, found.rows().rms()));
  }
}
