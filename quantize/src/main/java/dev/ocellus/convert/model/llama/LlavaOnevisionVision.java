package dev.ocellus.convert.model.llama;

import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;

/**
 * LLaVA-OneVision (arXiv:2408.03326): a SigLIP tower in the place of CLIP's, and larger grids of
 * tiles. llama.cpp has no converter for it; docs/gguf.md tells what is written.
 */
public final class LlavaOnevisionVision extends LlavaVision {
  private final VideoKeys videos;

  public LlavaOnevisionVision(Context context) throws IOException {
    super(context, "siglip_vision_model");
    videos = VideoKeys.of(context.folder());
  }

  @Override
  protected void more(GgufWriter out) {
    out.ints("clip.vision.image_grid_pinpoints", LlavaNextVision.pinpoints(global));
    out.string(
        "clip.vision.image_aspect_ratio",
        global.findString("vision_aspect_ratio").orElse("anyres_max_9"));
    out.string("clip.vision.mm_patch_merge_type", "spatial_unpad");
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.CLIP_MEAN, VideoKeys.CLIP_STD);
    videos.samplingOnRequest(out, context);
  }

  /** The tower's GELU is the tanh form, which no key of these files says. */
  @Override
  boolean usesGelu() {
    return false;
  }
}
