package dev.ocellus.convert.model.gemma;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * PaliGemma (arXiv:2407.07726): a SigLIP tower and one linear map. llama.cpp has no converter for
 * it; docs/gguf.md tells what is written.
 */
public final class PaliGemmaVision extends VisionModel {
  private static final NameTable NAMES = TOWER.with("linear mm.model.fc");

  public PaliGemmaVision(Context context) throws IOException {
    super(context, "siglip_vision_model");
  }

  @Override
  protected String projector() {
    return "paligemma";
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    out.bool("clip.use_gelu", true);
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    return inTower(name).filter(n -> !n.startsWith("head.")).or(() -> inProjector(name));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return named(NAMES, name, tensor);
  }
}
