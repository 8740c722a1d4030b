package dev.ocellus.convert.model.gemma;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Gemma 3 (arXiv:2503.19786): a SigLIP tower, means over squares of patches, a norm (whose weights
 * are stored less one) and a matrix that is F16 whatever the file is, as llama.cpp wants it.
 */
public final class Gemma3Vision extends VisionModel {
  /** Patches on a side of what becomes one row, where the file does not say. */
  private static final int USUAL_POOL = 4;

  private static final int BILINEAR = 2;

  private static final NameTable NAMES =
      TOWER.with(
          "mm_input_projection_weight mm.input_projection.weight",
          "mm_input_projection mm.input_projection",
          "mm_soft_emb_norm mm.soft_emb_norm");

  public Gemma3Vision(Context context) throws IOException {
    super(context, "siglip_vision_model");
  }

  @Override
  protected String projector() {
    return "gemma3";
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    out.bool("clip.use_gelu", true);
    int rows =
        processor
            .findInteger("image_seq_length")
            .orElse(global.integerOr("mm_tokens_per_image", 256));
    int side = (int) Math.sqrt(rows);
    if (side < 1) {
      throw processor.invalid("image_seq_length", "at least 1", "" + rows);
    }
    int pool = imageSize() / patchSize() / side;
    if (pool > 0 && pool != USUAL_POOL) {
      out.u32("clip.vision.projector.scale_factor", pool);
    }
  }

  @Override
  protected int usualFilter() {
    return BILINEAR;
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
    LazyTensor whole = name.equals("mm_soft_emb_norm.weight") ? tensor.plus(1) : tensor;
    return named(NAMES, name, whole);
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    if (tensor.name().contains("input_projection")) {
      return TensorType.F16;
    }
    return tensor.data().name().contains(".embeddings.")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
