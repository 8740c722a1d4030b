package dev.ocellus.tests.vlm;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** That the values are the reference's is shown in the tests of golden data. */
class LightOnOcrTest extends VisionEncoderContract {
  @Override
  Path mmproj() throws IOException {
    Path file = directory.resolve("mmproj-lighton-ocr.gguf");
    if (!Files.exists(file)) {
      Converter.convert(
          Path.of("golden/models/lighton-ocr/hf"),
          ConvertOptions.defaults()
              .withParts(false, Encoders.YES)
              .withTypes(OutputType.F32, OutputType.F32)
              .withOutput(file, null),
          ConvertProgress.NONE);
    }
    return file;
  }

  @Override
  String requiredWeight() {
    return "v.blk.0.attn_q.weight";
  }

  @Override
  List<RgbImage> alikeImages() {
    return List.of(Golden.noise(120, 84, 1), Golden.noise(120, 84, 2));
  }
}
