package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** DeepSeek-OCR-2 pads images to squares of the color that its processor says. */
class BackgroundTest {
  private static final Path HF = Path.of("golden/models/deepseek-ocr2/hf");

  @TempDir Path directory;

  private Path convert(String background) throws IOException {
    Path copy = Files.createDirectories(directory.resolve("hf"));
    try (var files = Files.list(HF)) {
      for (Path file : files.toList()) {
        Files.copy(file, copy.resolve(file.getFileName()));
      }
    }
    Path settings = copy.resolve("preprocessor_config.json");
    var mapper = new ObjectMapper();
    ObjectNode json = (ObjectNode) mapper.readTree(settings.toFile());
    json.set("background_color", mapper.readTree(background));
    mapper.writeValue(settings.toFile(), json);
    Path text = directory.resolve("m.gguf");
    Converter.convert(copy, ConvertOptions.defaults().withOutput(text, null), ConvertProgress.NONE);
    return text.resolveSibling("mmproj-m.gguf");
  }

  /**
   * A number alone fills the red plane in the reference (pad_to_square), and nothing the others.
   */
  @ParameterizedTest
  @CsvSource({
    "'[127, 127, 127]', 127, 127, 127",
    "'[9, 9, 9]', 9, 9, 9",
    "'[10, 120, 250]', 10, 120, 250",
    "127, 127, 0, 0"
  })
  void padsWithTheColorOfTheProcessor(String background, int red, int green, int blue)
      throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(convert(background), 1, false)) {
      RgbImage whole =
          encoder.architecture().shown(encoder.prepare(Golden.noise(60, 20, 1))).getLast();
      for (int corner : new int[] {0, whole.width() - 1}) {
        var color =
            new Rgb(
                whole.red(corner, corner), whole.green(corner, corner), whole.blue(corner, corner));
        assertThat(color).isEqualTo(new Rgb(red, green, blue));
      }
    }
  }

  @Test
  void refusesWhatIsNoColor() {
    assertThatThrownBy(() -> convert("[1, 2]"))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("background_color");
  }
}
