package dev.ocellus.convert.model.gemma;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What Gemma 4's 12B has in place of an image encoder: norms, a linear layer over squares of
 * patches and tables of positions. Sound is left out.
 */
public final class Gemma4UnifiedVision extends VisionModel {
  private static final NameTable NAMES =
      NameTable.of(
          "patch_dense v.patch_embd",
          "patch_ln1 v.patch_norm.1",
          "patch_ln2 v.patch_norm.2",
          "pos_norm v.patch_norm.3",
          "embedding_projection mm.input_projection",
          "multimodal_embedder.embedding_projection mm.input_projection");

  /** Any size is encoded; this one has always been written. */
  private static final int IMAGE_SIZE = 224;

  private static final int USUAL_POOL = 3;
  private static final int USUAL_TOKENS = 280;

  private final VideoKeys videos;

  public Gemma4UnifiedVision(Context context) throws IOException {
    super(context, "gemma4_unified_vision");
    videos = VideoKeys.of(context.folder());
  }

  @Override
  protected String projector() {
    return "gemma4uv";
  }

  @Override
  protected int imageSize() {
    return IMAGE_SIZE;
  }

  @Override
  protected int nBlock() {
    return 0;
  }

  @Override
  protected int nEmbd() {
    return config.integer("mm_embed_dim");
  }

  @Override
  protected int nFf() {
    return 0;
  }

  @Override
  protected int nHead() {
    return 0;
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  private int pool() {
    return config.integer("pooling_kernel_size");
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.vision.projector_type", projector());
    out.f32(
        "clip.vision.attention.layer_norm_epsilon",
        (float) config.findReal("rms_norm_eps").orElse(1e-6));
    if (processor.integerOr("pooling_kernel_size", pool()) != pool()
        || processor.integerOr("patch_size", patchSize()) != patchSize()) {
      throw processor.invalid(
          "patch_size", "that of config.json, and so pooling_kernel_size", "others");
    }
    if (pool() != USUAL_POOL) {
      out.u32("clip.vision.projector.scale_factor", pool());
    }
    int tokens = processor.integerOr("max_soft_tokens", USUAL_TOKENS);
    if (tokens != USUAL_TOKENS) {
      int side = pool() * patchSize();
      out.u32("clip.vision.image_max_pixels", Math.multiplyExact(tokens, side * side));
    }
    Gemma4Vision.videos(out, videos, filter(), processor);
    if (!Gemma4Text.seesImagesBothWays(context)) {
      out.bool("clip.vision.bidirectional_images", false);
    }
  }

  @Override
  protected Optional<String> own(String name) {
    return after(
        name, "model.vision_embedder.", "vision_embedder.", "model.embed_vision.", "embed_vision.");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return switch (name) {
      case "pos_embedding" -> List.of(new TargetTensor("v.position_embd.weight", byAxis(tensor)));
      case "patch_dense.weight", "patch_ln1.weight", "patch_ln1.bias" ->
          named(NAMES, name, planes(tensor));
      default -> named(NAMES, name, tensor);
    };
  }

  /** From a row for each axis of a position to a position for each row of an axis. */
  private static LazyTensor byAxis(LazyTensor t) {
    if (t.rank() != 3 || t.size(1) != 2) {
      throw new ConversionException(
          "Tensor %s: expected positions on two axes, [n, 2, width].".formatted(t));
    }
    long n = t.size(0);
    return t.rearrange(t.size(2), i -> i % n * 2 + i / n, 2, n, t.size(2));
  }

  /** From pixels with their colours beside each other to planes. */
  private LazyTensor planes(LazyTensor t) {
    int side = pool() * patchSize();
    long pixels = (long) side * side;
    if (t.size(t.rank() - 1) != 3 * pixels) {
      throw new ConversionException(
          "Tensor %s: expected rows of %d x %d pixels of three colours. Configuration and tensors are not of one checkpoint."
              .formatted(t, side, side));
    }
    return t.rearrange(
        1, i -> i / (3 * pixels) * (3 * pixels) + i % pixels * 3 + i / pixels % 3, t.shape());
  }
}
