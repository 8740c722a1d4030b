package dev.ocellus.tests.vlm;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** Tiny models with recurrent states beside attention. */
final class HybridModels {
  /** Those of {@link TinyTextModel}, and Qwen3.5, which sees images. */
  static final List<String> NAMES =
      Stream.concat(Stream.of("qwen3.5"), TinyTextModel.HYBRID.stream().sorted()).toList();

  /** Control tokens of the tiny text models, at the borders of messages. */
  private static final String TEMPLATE =
      "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

  private HybridModels() {}

  /**
   * Opens a model. Caches do not round, so that batches may be divided.
   *
   * @param directory where its files are written, once
   */
  static LoadOptions options(Path directory, String model) throws IOException {
    LoadOptions options;
    if (model.equals("qwen3.5")) {
      Path qwen = directory.resolve("qwen.gguf");
      if (Files.notExists(qwen)) {
        Converter.convert(
            Path.of("golden/models/qwen3.5/hf"),
            ConvertOptions.defaults()
                .withOutput(qwen, null)
                .withTypes(OutputType.F32, OutputType.F32),
            ConvertProgress.NONE);
      }
      options = LoadOptions.of(qwen, qwen.resolveSibling("mmproj-qwen.gguf"));
    } else {
      Path file = TinyTextModel.write(directory.resolve(model + ".gguf"), model);
      options = LoadOptions.of(file).withChatTemplate(TEMPLATE);
    }
    return options.withContextOptions(
        Golden.context(768).withCache(TensorType.F32, TensorType.F32));
  }

  /** A question, about an image where the model sees any. */
  static Message question(VisionLanguageModel model, String text) throws IOException {
    return model.pipeline().encoder() == null
        ? Message.user(text)
        : Message.user(text, Golden.image("exact_96x64.png"));
  }
}
