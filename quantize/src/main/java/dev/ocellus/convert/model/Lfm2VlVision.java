package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.PatchRows;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * LFM2-VL and LFM2.5-VL (arXiv:2511.23404): SigLIP 2's encoder for any shape, and a projector. What
 * the processor does is in keys of our own where it is not as in the published models.
 */
final class Lfm2VlVision extends VisionModel {
  private static final NameTable NAMES =
      TOWER.with("layer_norm mm.input_norm", "linear_1 mm.1", "linear_2 mm.2");

  private static final int BILINEAR = 2;

  /** What llama.cpp's converter writes, as no configuration has it. */
  private static final int IMAGE_SIZE = 256;

  private static final int FACTOR = 2;
  private static final int MIN_TOKENS = 64;
  private static final int MAX_TOKENS = 256;

  Lfm2VlVision(Context context) throws IOException {
    super(context, "siglip2_vision_model");
  }

  @Override
  protected String projector() {
    return "lfm2";
  }

  @Override
  protected int imageSize() {
    return IMAGE_SIZE;
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
    return inTower(name).or(() -> inProjector(name)).filter(n -> !n.startsWith("head."));
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    out.u32("clip.vision.projector.scale_factor", factor());
    out.bool("clip.use_gelu", true);
    String act = global.findString("projector_hidden_act").orElse("gelu");
    if (!act.equals("gelu")) {
      requireKnown(global, act);
      out.string("clip.vision.projector.hidden_act", act);
    }
    requireSame("encoder_patch_size", patchSize());
    requireSame("downsample_factor", factor());
    tiles(out);
  }

  private int factor() {
    return global.integerOr("downsample_factor", FACTOR);
  }

  /** The processor cuts patches and counts tokens, which the encoder must agree with. */
  private void requireSame(String key, int value) {
    int found = processor.integerOr(key, key.equals("downsample_factor") ? FACTOR : 16);
    if (found != value) {
      throw processor.invalid(key, value + ", as the model's", "" + found);
    }
  }

  private void tiles(GgufWriter out) {
    int area = patchSize() * patchSize() * factor() * factor();
    int min = processor.integerOr("min_image_tokens", MIN_TOKENS);
    int max = processor.integerOr("max_image_tokens", MAX_TOKENS);
    if (min != MIN_TOKENS) {
      out.u32("clip.vision.image_min_pixels", (long) min * area);
    }
    if (max != MAX_TOKENS) {
      out.u32("clip.vision.image_max_pixels", (long) max * area);
    }
    unless(out, "preproc_tile_size", "tile_size", 512);
    unless(out, "preproc_min_tiles", "min_tiles", 2);
    unless(out, "preproc_max_tiles", "max_tiles", 10);
    double tolerance = processor.findReal("max_pixels_tolerance").orElse(2);
    if (tolerance != 2) {
      out.f32("clip.vision.preproc_max_pixels_tolerance", (float) tolerance);
    }
    unless(out, "do_image_splitting");
    unless(out, "use_thumbnail");
  }

  private void unless(GgufWriter out, String key, String from, int usual) {
    int value = processor.integerOr(from, usual);
    if (value != usual) {
      out.u32("clip.vision." + key, value);
    }
  }

  private void unless(GgufWriter out, String flag) {
    if (!processor.flag(flag, true)) {
      out.bool("clip.vision." + flag, false);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    boolean kernel = name.equals("embeddings.patch_embedding.weight");
    return named(NAMES, name, kernel ? PatchRows.kernel(tensor, patchSize()) : tensor);
  }
}
