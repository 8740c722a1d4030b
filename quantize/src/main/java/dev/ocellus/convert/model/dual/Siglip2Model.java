package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.PatchRows;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * SigLIP 2 for images of any shape (arXiv:2502.14786, NaFlex), as {@code Siglip2Model} of
 * transformers holds it: its patches are vectors in front of a linear layer, which becomes a kernel
 * as those of other towers are.
 */
public final class Siglip2Model extends SiglipModel {
  private static final int BILINEAR = 2;
  private static final int MAX_PATCHES = 256;

  public Siglip2Model(Context context) throws IOException {
    super(context, "siglip2_vision_model", "siglip2_text_model");
  }

  @Override
  protected String projector() {
    return "siglip2";
  }

  @Override
  protected int usualFilter() {
    return BILINEAR;
  }

  /** Of the square that the table of positions is for. */
  @Override
  protected int imageSize() {
    return (int) Math.sqrt(config.integer("num_patches")) * patchSize();
  }

  @Override
  void fit(GgufWriter out) {
    int patch = processor.integerOr("patch_size", patchSize());
    if (patch != patchSize()) {
      throw processor.invalid("patch_size", patchSize() + ", as the tower's", "" + patch);
    }
    out.u32("clip.vision.max_num_patches", processor.integerOr("max_num_patches", MAX_PATCHES));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return name.equals("embeddings.patch_embedding.weight")
        ? super.map(name, PatchRows.kernel(tensor, patchSize()))
        : super.map(name, tensor);
  }
}
