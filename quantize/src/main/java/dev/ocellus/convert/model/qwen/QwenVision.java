package dev.ocellus.convert.model.qwen;

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

/** What the image encoders of Qwen2-VL, Qwen2.5-VL and Qwen3-VL share. */
public abstract class QwenVision extends VisionModel {
  protected static final NameTable NAMES =
      NameTable.of(
          "patch_embed.proj v.patch_embd",
          "blocks.#.attn.proj v.blk.#.attn_out",
          "blocks.#.norm1 v.blk.#.ln1",
          "blocks.#.norm2 v.blk.#.ln2");

  protected QwenVision(Context context, String classType) throws IOException {
    super(context, classType);
  }

  @Override
  protected Optional<String> own(String name) {
    return after(name, "model.visual.", "visual.");
  }

  /** Limits of the processor, where they differ between checkpoints of one architecture. */
  final void pixelLimits(GgufWriter out) {
    limit(out, "clip.vision.image_min_pixels", "min_pixels", "shortest_edge");
    limit(out, "clip.vision.image_max_pixels", "max_pixels", "longest_edge");
  }

  /** As the processor's class: the older names count before those in {@code size}. */
  private void limit(GgufWriter out, String key, String own, String inSize) {
    PixelLimits.find(processor, own, inSize).ifPresent(pixels -> out.u32(key, pixels));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return name.equals("patch_embed.proj.weight") ? frames(tensor) : named(NAMES, name, tensor);
  }
}
