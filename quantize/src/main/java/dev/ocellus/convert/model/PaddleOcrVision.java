package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.PixelLimits;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** PaddleOCR-VL (arXiv:2510.14528): SigLIP's names under {@code visual.}, the projector's apart. */
final class PaddleOcrVision extends VisionModel {
  private static final NameTable PROJECTOR =
      NameTable.of("pre_norm mm.input_norm", "linear_1 mm.1", "linear_2 mm.2");

  private static final String OWN = "projector/";

  /** Of the processor's class. */
  private static final PixelLimits LIMITS = new PixelLimits(384 * 384, 1536 * 1536);

  /** Patches on a side of what becomes one row, where the file does not say. */
  private static final int USUAL_MERGE = 2;

  private final PixelLimits limits;

  PaddleOcrVision(Context context) throws IOException {
    super(context, "paddleocr_vl_vision");
    limits = PixelLimits.of(processor, LIMITS);
  }

  @Override
  protected String projector() {
    return "paddleocr";
  }

  /** Any size will do; this one is what llama.cpp's converter writes. */
  @Override
  protected int imageSize() {
    return (int) Math.sqrt(limits.max());
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    Optional<String> projector = after(name, "mlp_AR.", "model.projector.").map(OWN::concat);
    return projector
        .or(() -> after(name, "visual.vision_model.", "model.visual.vision_model."))
        .filter(n -> !n.startsWith("head.") && !n.contains("packing_position_embedding"));
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    limits.write(out);
    out.bool("clip.use_gelu", true);
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    int merge = config.integer("spatial_merge_size");
    if (merge != USUAL_MERGE) {
      out.u32("clip.vision.spatial_merge_size", merge);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return name.startsWith(OWN)
        ? named(PROJECTOR, name.substring(OWN.length()), tensor)
        : named(TOWER, name, tensor);
  }
}
