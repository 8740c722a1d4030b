package dev.ocellus.tests.vlm;

import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Nested;

/** The contract for families whose golden data are checkpoints, which are converted first. */
class ConvertedFamiliesTest {
  private abstract static class Converted extends VisionEncoderContract {
    private final String model;
    private final String weight;

    Converted(String model, String weight) {
      this.model = model;
      this.weight = weight;
    }

    @Override
    Path mmproj() throws IOException {
      return Golden.convertedMmproj(model, directory);
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

  @Nested
  class DeepseekOcr2 extends Converted {
    DeepseekOcr2() {
      super("deepseek-ocr2", "v.sam.blk.1.attn.qkv.weight");
    }
  }

  @Nested
  class Gemma4Unified extends Converted {
    Gemma4Unified() {
      super("gemma4-unified", "v.patch_norm.2.weight");
    }
  }

  @Nested
  class Glm46v extends Converted {
    Glm46v() {
      super("glm46v", "mm.patch_merger.weight");
    }
  }

  /** Of the same family, with norms on queries and keys and without a table of positions. */
  @Nested
  class GlmOcr extends Converted {
    GlmOcr() {
      super("glm-ocr", "mm.patch_merger.weight");
    }
  }

  @Nested
  class HunyuanVl extends Converted {
    HunyuanVl() {
      super("hunyuan-vl", "v.blk.1.attn_q.weight");
    }
  }

  @Nested
  class LightOnOcr extends Converted {
    LightOnOcr() {
      super("lighton-ocr", "v.blk.0.attn_q.weight");
    }
  }

  @Nested
  class PaddleOcr extends Converted {
    PaddleOcr() {
      super("paddleocr-vl", "mm.1.weight");
    }
  }
}
