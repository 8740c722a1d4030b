package dev.ocellus.tests.vlm;

import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Nested;

/**
 * The contract for the tiny models of the golden data; that their values are the reference's is
 * FidelityTest's to show. Families with more to test have a class of their own.
 */
class FamiliesTest {
  private abstract static class Family extends VisionEncoderContract {
    final String model;
    private final String weight;

    Family(String model, String weight) {
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
    List<RgbImage> alikeImages() {
      return List.of(Golden.noise(97, 61, 1), Golden.noise(97, 61, 2));
    }
  }

  /** Of which there is a checkpoint only. */
  private abstract static class Converted extends Family {
    Converted(String model, String weight) {
      super(model, weight);
    }

    @Override
    Path mmproj() throws IOException {
      return Golden.convertedMmproj(model, directory);
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
  class MiniCpmV47 extends Converted {
    MiniCpmV47() {
      super("minicpmv4_7-plane", "v.vit_merger.attn_q.weight");
    }
  }

  @Nested
  class KimiK25 extends Converted {
    KimiK25() {
      super("kimi_k25-groups", "mm.1.weight");
    }
  }

  @Nested
  class KimiVl extends Converted {
    KimiVl() {
      super("kimi-vl", "v.blk.1.attn_k.weight");
    }
  }

  @Nested
  class Lfm2Vl extends Converted {
    Lfm2Vl() {
      super("lfm2_vl-untied", "mm.1.weight");
    }
  }

  @Nested
  class Qwen2Vl extends Family {
    Qwen2Vl() {
      super("qwen2-vl", "v.blk.1.attn_q.weight");
    }
  }

  @Nested
  class Qwen3Vl extends Family {
    Qwen3Vl() {
      super("qwen3-vl", "v.deepstack.0.fc1.weight");
    }
  }

  @Nested
  class SmolVlm extends Family {
    SmolVlm() {
      super("smolvlm2", "mm.model.fc.weight");
    }
  }

  @Nested
  class Gemma3 extends Family {
    Gemma3() {
      super("gemma3", "mm.input_projection.weight");
    }
  }

  @Nested
  class JanusPro extends Family {
    JanusPro() {
      super("janus", "v.blk.1.attn_q.weight");
    }
  }

  @Nested
  class LlavaNext extends Family {
    LlavaNext() {
      super("llava-next", "mm.2.weight");
    }
  }

  @Nested
  class InternVit300M extends Family {
    InternVit300M() {
      super("internvl", "v.blk.1.attn_q.weight");
    }
  }

  @Nested
  class Pixtral extends Family {
    Pixtral() {
      super("pixtral", "v.blk.1.attn_q.weight");
    }
  }
}
