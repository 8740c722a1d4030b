package dev.ocellus.tests.vlm;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Nested;

/**
 * The contract for the tiny models of the golden data; that their values are the reference's is
 * FidelityTest's to show. Families with more to test have a class of their own.
 */
class FamiliesTest {
  private abstract static class Golden extends VisionEncoderContract {
    private final String model;
    private final String weight;

    Golden(String model, String weight) {
      this.model = model;
      this.weight = weight;
    }

    @Override
    Path mmproj() throws IOException {
      return Path.of("golden/models", model, "gguf/mmproj.gguf");
    }

    @Override
    String requiredWeight() {
      return weight;
    }

    @Override
    List<RgbImage> alikeImages() throws IOException {
      return List.of(
          dev.ocellus.tests.vlm.Golden.noise(97, 61, 1),
          dev.ocellus.tests.vlm.Golden.noise(97, 61, 2));
    }
  }

  /** Of which there is a checkpoint only. */
  private abstract static class Converted extends Golden {
    private final String model;

    Converted(String model, String weight) {
      super(model, weight);
      this.model = model;
    }

    @Override
    Path mmproj() throws IOException {
      Path file = directory.resolve("mmproj-" + model + ".gguf");
      if (!Files.exists(file)) {
        Converter.convert(
            Path.of("golden/models", model, "hf"),
            ConvertOptions.defaults()
                .withParts(false, ConvertOptions.Encoders.YES)
                .withTypes(OutputType.F32, OutputType.F32)
                .withOutput(file, null),
            ConvertProgress.NONE);
      }
      return file;
    }
  }

  @Nested
  class Granite4Vision extends Converted {
    Granite4Vision() {
      super("granite4_vision-later", "v.proj_blk.0.cross_attn_k.weight");
    }
  }

  @Nested
  class MiniCpmV46 extends Converted {
    MiniCpmV46() {
      super("minicpmv4_6-whole", "v.vit_merger.attn_q.weight");
    }
  }

  @Nested
  class KimiK25 extends Converted {
    KimiK25() {
      super("kimi_k25-groups", "mm.1.weight");
    }
  }

  @Nested
  class Lfm2Vl extends Converted {
    Lfm2Vl() {
      super("lfm2_vl-untied", "mm.1.weight");
    }
  }

  @Nested
  class Qwen2Vl extends Golden {
    Qwen2Vl() {
      super("qwen2-vl", "v.blk.1.attn_q.weight");
    }
  }

  @Nested
  class Qwen3Vl extends Golden {
    Qwen3Vl() {
      super("qwen3-vl", "v.deepstack.0.fc1.weight");
    }
  }

  @Nested
  class SmolVlm extends Golden {
    SmolVlm() {
      super("smolvlm2", "mm.model.fc.weight");
    }
  }

  @Nested
  class Gemma3 extends Golden {
    Gemma3() {
      super("gemma3", "mm.input_projection.weight");
    }
  }

  @Nested
  class JanusPro extends Golden {
    JanusPro() {
      super("janus", "v.blk.1.attn_q.weight");
    }
  }

  @Nested
  class LlavaNext extends Golden {
    LlavaNext() {
      super("llava-next", "mm.2.weight");
    }
  }

  @Nested
  class InternVit300M extends Golden {
    InternVit300M() {
      super("internvl", "v.blk.1.attn_q.weight");
    }
  }

  @Nested
  class Pixtral extends Golden {
    Pixtral() {
      super("pixtral", "v.blk.1.attn_q.weight");
    }
  }
}
