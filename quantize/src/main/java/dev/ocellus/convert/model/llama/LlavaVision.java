package dev.ocellus.convert.model.llama;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.LlavaFit;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * LLaVA 1.5 and NeXT (arXiv:2310.03744): a CLIP tower, or a SigLIP tower, up to the layer that is
 * looked at, and two linear maps. llama.cpp converts these with an older script, whose names this
 * follows: {@code ffn_down} is the first map of a block and {@code ffn_up} the second.
 */
public class LlavaVision extends VisionModel {
  private static final NameTable LEGACY =
      TOWER.with(
          "encoder.layers.#.mlp.fc1 v.blk.#.ffn_down", "encoder.layers.#.mlp.fc2 v.blk.#.ffn_up");

  static final NameTable PROJECTOR =
      NameTable.of("linear_1 mm.0", "linear_2 mm.2", "image_newline model.image_newline");

  public LlavaVision(Context context) throws IOException {
    super(context, "clip_vision_model");
  }

  public LlavaVision(Context context, String classType) throws IOException {
    super(context, classType);
  }

  @Override
  protected String projector() {
    return "mlp";
  }

  @Override
  public String generalType() {
    return ""; // these files are older than the key
  }

  /** Hidden states that the projector sees; the last one is also the number of blocks. */
  final int[] featureLayers() {
    int[] layers = global.integers("vision_feature_layer");
    for (int i = 0; i < layers.length; i++) {
      layers[i] = blocksUpTo("vision_feature_layer", layers[i]);
    }
    if (layers.length == 0) {
      throw global.missing("vision_feature_layer", "a number");
    }
    return layers;
  }

  @Override
  protected int nBlock() {
    return Arrays.stream(featureLayers()).max().orElseThrow();
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    requireTwoLinearMaps();
    out.bool("clip.has_text_encoder", false);
    out.bool("clip.has_vision_encoder", true);
    out.bool("clip.has_llava_projector", true);
    out.u32("general.file_type", type.fileType());
    out.string("general.description", "image encoder for LLaVA");
    out.string("clip.projector_type", projector());
    out.u32("clip.vision.image_size", imageSize());
    out.u32("clip.vision.patch_size", patchSize());
    out.u32("clip.vision.embedding_length", nEmbd());
    out.u32("clip.vision.feed_forward_length", nFf());
    out.u32("clip.vision.projection_dim", config.integerOr("projection_dim", nEmbdText()));
    out.u32("clip.vision.attention.head_count", nHead());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-5));
    out.u32("clip.vision.block_count", nBlock());
    more(out);
    out.ints("clip.vision.feature_layer", featureLayers());
    colours(out);
    out.bool("clip.use_gelu", usesGelu());
    unusual(out);
  }

  /** SigLIP has no CLS token. */
  private boolean isSiglip() {
    return config.modelType().startsWith("siglip");
  }

  /** llama.cpp's GELU is the tanh form, which SigLIP has. */
  boolean usesGelu() {
    return isSiglip() || config.findString("hidden_act").orElse("quick_gelu").equals("gelu");
  }

  @Override
  protected Set<String> usualActivations() {
    return isSiglip() ? GELU_TANH : Set.of("quick_gelu", "gelu");
  }

  private void requireTwoLinearMaps() {
    String act = global.findString("projector_hidden_act").orElse("gelu");
    if (!act.equals("gelu")) {
      throw global.invalid("projector_hidden_act", "gelu", "'" + act + "'");
    }
  }

  @Override
  protected void more(GgufWriter out) {
    new LlavaFit(processor, imageSize()).write(out);
    boolean full =
        global.findString("vision_feature_select_strategy").orElse("default").equals("full");
    if (full != isSiglip()) { // by default the row of the class is left out, where there is one
      out.string("clip.vision.mm_vision_select_feature", full ? "cls_patch" : "patch");
    }
  }

  @Override
  protected Optional<String> own(String name) {
    Optional<String> projector = inProjector(name);
    if (projector.isPresent()) {
      return projector;
    }
    if (name.equals("image_newline") || name.equals("model.image_newline")) {
      return Optional.of("image_newline");
    }
    return inTower(name).filter(this::isUsed);
  }

  /** Blocks behind the last one that is looked at are left out, and the norm behind them. */
  boolean isUsed(String name) {
    return !name.startsWith("post_layernorm")
        && !name.startsWith("head.")
        && !name.endsWith("position_ids")
        && isInKeptBlock(name, "encoder.layers.");
  }

  NameTable tower() {
    return LEGACY;
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    Optional<String> projector = PROJECTOR.find(name);
    if (projector.isPresent()) {
      return List.of(new TargetTensor(projector.get(), tensor));
    }
    return named(tower(), name, tensor);
  }
}
