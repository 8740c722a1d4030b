package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.HfConfig;
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

/** MiniCPM-V 4.6 and 4.7: a SigLIP tower with a merger inside, and a projector. */
final class MiniCpmV46Vision extends VisionModel {
  private static final NameTable NAMES =
      TOWER.with(
          "vit_merger.layer_norm1 v.vit_merger.ln1",
          "vit_merger.pre_norm v.vit_merger.ds_ln",
          "vit_merger.linear_1 v.vit_merger.ds_ffn_up",
          "vit_merger.linear_2 v.vit_merger.ds_ffn_down",
          "vit_merger.self_attn.q_proj v.vit_merger.attn_q",
          "vit_merger.self_attn.k_proj v.vit_merger.attn_k",
          "vit_merger.self_attn.v_proj v.vit_merger.attn_v",
          "vit_merger.self_attn.out_proj v.vit_merger.attn_out",
          "mlp.0.pre_norm mm.input_norm",
          "mlp.0.linear_1 mm.up",
          "mlp.0.linear_2 mm.down");

  private static final int SCALE = 448;
  private static final int INSERTED = 6;

  private final String type;
  private final boolean merges;
  private final VideoKeys videos;

  /** Version 4.6. */
  MiniCpmV46Vision(Context context) throws IOException {
    this(context, "minicpmv4_6");
  }

  private MiniCpmV46Vision(Context context, String type) throws IOException {
    super(context, type + "_vision");
    this.type = type;
    videos = VideoKeys.of(context.folder());
    String mode = mode(processor.findString("downsample_mode"));
    String ofModel = mode(global.findString("downsample_mode"));
    if (!mode.equals(ofModel)) {
      throw processor.invalid("downsample_mode", "'%s', as the model's".formatted(ofModel), mode);
    }
    merges = mode.equals("16x");
    if (!merges && !mode.equals("4x")) {
      throw processor.invalid("downsample_mode", "4x or 16x", "'" + mode + "'");
    }
  }

  /** Version 4.7, whose files are for this program alone. */
  static MiniCpmV46Vision ofVersion47(Context context) throws IOException {
    return new MiniCpmV46Vision(context, "minicpmv4_7");
  }

  private static String mode(Optional<String> said) {
    return said.orElse("16x");
  }

  @Override
  protected String projector() {
    return type;
  }

  /** Of the square whose pixels a slice has; the table of positions has its own. */
  @Override
  protected int imageSize() {
    return processor.integerOr("scale_resolution", SCALE);
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    return inTower(name)
        .filter(n -> merges || !n.startsWith("vit_merger."))
        .or(() -> after(name, "model.merger.", "merger."));
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    requireUsual();
    out.u32("clip.vision.projector.scale_factor", merges ? 4 : 2);
    out.ints("clip.vision.wa_layer_indexes", inserted());
    out.bool("clip.use_gelu", true);
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    int slices = processor.integerOr("max_slice_nums", 9);
    if (!processor.flag("slice_mode", true)) {
      slices = 1;
    }
    if (slices != 9) {
      out.u32("clip.vision.preproc_max_tiles", slices);
    }
    if (!processor.flag("use_image_id", true)) {
      out.bool("clip.vision.use_image_id", false);
    }
    videos(out, slices);
  }

  private void videos(GgufWriter out, int slicesOfImages) {
    HfConfig own = videos.config();
    if (own.integerOr("stack_frames", 1) > 1) {
      throw own.invalid(
          "stack_frames", "1, as no file can say otherwise", "" + own.find("stack_frames"));
    }
    if (!mode(own.findString("downsample_mode"))
        .equals(mode(global.findString("downsample_mode")))) {
      throw own.invalid("downsample_mode", "that of images", "another");
    }
    int slices = own.flag("slice_mode", true) ? own.integerOr("max_slice_nums", 9) : 1;
    videos.integer(out, "max_tiles", slices, slicesOfImages);
    videos.integer(out, "image_size", "scale_resolution", SCALE, imageSize());
    videos.integer(out, "max_frames", "max_num_frames", 128, 128);
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.HALF, VideoKeys.HALF);
    videos.sampling(out);
  }

  private int inserted() {
    int layer = global.integerOr("insert_layer_id", INSERTED);
    if (merges && (layer < 0 || layer >= nBlock())) {
      throw global.invalid("insert_layer_id", "a layer of the " + nBlock(), "" + layer);
    }
    return layer;
  }

  /** What the graph takes for granted. */
  private void requireUsual() {
    if (global.integerOr("merger_times", 1) != 1) {
      throw global.invalid(
          "merger_times", "1, as no file can say otherwise", "" + global.find("merger_times"));
    }
    int patch = processor.integerOr("patch_size", patchSize());
    if (patch != patchSize()) {
      throw processor.invalid("patch_size", patchSize() + ", as the encoder's", "" + patch);
    }
    for (int side : global.integers("merge_kernel_size")) {
      requireTwo("merge_kernel_size", side);
    }
    for (int side : config.integers("window_kernel_size")) {
      requireTwo("window_kernel_size", side);
    }
  }

  private void requireTwo(String key, int side) {
    if (side != 2) {
      throw global.invalid(key, "2 and 2, as no file can say otherwise", "" + side);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return named(NAMES, name, tensor);
  }
}
