package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Granite Vision 4: a SigLIP tower, and a projector for each of some layers of the text model. */
public final class Granite4VisionEncoder extends VisionModel {
  private static final NameTable NAMES = TOWER.with("image_newline v.image_newline");

  private static final NameTable PROJECTOR =
      NameTable.of(
          "image_positions img_pos",
          "query query",
          "norm norm",
          "out_linear linear",
          "qformer.layernorm post_norm",
          "qformer.encoder.layer.0.attention.attention.query self_attn_q",
          "qformer.encoder.layer.0.attention.attention.key self_attn_k",
          "qformer.encoder.layer.0.attention.attention.value self_attn_v",
          "qformer.encoder.layer.0.attention.output.dense self_attn_out",
          "qformer.encoder.layer.0.attention.output.LayerNorm self_attn_norm",
          "qformer.encoder.layer.0.crossattention.attention.query cross_attn_q",
          "qformer.encoder.layer.0.crossattention.attention.key cross_attn_k",
          "qformer.encoder.layer.0.crossattention.attention.value cross_attn_v",
          "qformer.encoder.layer.0.crossattention.output.dense cross_attn_out",
          "qformer.encoder.layer.0.crossattention.output.LayerNorm cross_attn_norm",
          "qformer.encoder.layer.0.intermediate_query.dense ffn_up",
          "qformer.encoder.layer.0.output_query.dense ffn_down",
          "qformer.encoder.layer.0.output_query.LayerNorm ffn_norm");

  private static final String PROJECTORS = "_projectors.";

  private static final int HEAD_SIZE = 64;
  private static final double QFORMER_EPS = 1e-12;

  private final Granite4Projectors projectors;

  public Granite4VisionEncoder(Context context) throws IOException {
    super(context, "siglip_vision_model");
    projectors = Granite4Projectors.of(context);
  }

  @Override
  protected String projector() {
    return "granite4_vision";
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    return inTower(name)
        .filter(n -> !n.startsWith("head."))
        .or(() ->
            after(name, "model.", "")
                .filter(n -> n.contains(PROJECTORS) || n.equals("image_newline")));
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    out.bool("clip.use_gelu", true);
    requireTiles();
    out.u32("clip.vision.preproc_image_size", imageSize());
    rate(out);
    List<Granite4Projectors.Projector> list = projectors.list();
    out.ints("clip.vision.feature_layer", list.stream().mapToInt(p -> p.state() - 1).toArray());
    out.ints(
        "clip.vision.projector.spatial_offsets", list.stream().mapToInt(p -> p.corner()).toArray());
    int[] pinpoints = LlavaNextVision.pinpoints(global);
    int[] widthFirst = new int[pinpoints.length];
    for (int i = 0; i < pinpoints.length; i++) {
      widthFirst[i] = pinpoints[i ^ 1];
    }
    out.ints("clip.vision.image_grid_pinpoints", widthFirst);
    if (projectors.emptyFirst()) {
      out.bool("clip.vision.projector.empty_first", true);
    }
    qformer(out);
  }

  /** Queries and patches along the sides of a window. */
  private void rate(GgufWriter out) {
    String rate =
        global
            .findString("downsample_rate")
            .orElseThrow(() -> global.missing("downsample_rate", "a fraction such as 4/8"));
    if (!rate.matches("\\d{1,4}/\\d{1,4}")) {
      throw global.invalid("downsample_rate", "a fraction such as 4/8", "'" + rate + "'");
    }
    String[] parts = rate.split("/");
    out.u32("clip.vision.projector.query_side", Integer.parseInt(parts[0]));
    out.u32("clip.vision.projector.window_side", Integer.parseInt(parts[1]));
  }

  /** The processor must cut tiles as the encoder takes them, and the model count as it does. */
  private void requireTiles() {
    int tile = processor.find("crop_size") == null ? imageSize() : side("crop_size");
    if (tile != imageSize()) {
      throw processor.invalid("crop_size", imageSize() + ", as the encoder's", "" + tile);
    }
    JsonNode ofProcessor = processor.find("image_grid_pinpoints");
    JsonNode ofModel = global.find("image_grid_pinpoints");
    if (ofProcessor != null && ofModel != null && !ofProcessor.equals(ofModel)) {
      throw processor.invalid(
          "image_grid_pinpoints", "the same as in config.json", ofProcessor.toString());
    }
    if (!global.findString("vision_feature_select_strategy").orElse("full").equals("full")) {
      throw global.invalid(
          "vision_feature_select_strategy", "full, as the encoder has no CLS token", "'default'");
    }
  }

  private int side(String key) {
    var node = processor.find(key);
    return node == null ? 0 : node.path("height").asInt(node.asInt());
  }

  private void qformer(GgufWriter out) {
    int nHead = nEmbd() / HEAD_SIZE;
    Optional<HfConfig> section = global.findSection("qformer_config", "blip_2_qformer");
    if (section.isPresent()) {
      HfConfig q = section.get();
      if (q.integer("num_hidden_layers") != 1 || q.integerOr("cross_attention_frequency", 1) != 1) {
        throw q.invalid("num_hidden_layers", "1, as no file can say otherwise", "more");
      }
      if (!q.findString("hidden_act").orElse("gelu").equals("gelu")) {
        throw q.invalid("hidden_act", "gelu", "" + q.find("hidden_act"));
      }
      nHead = q.integer("num_attention_heads");
      double eps = q.findReal("layer_norm_eps").orElse(QFORMER_EPS);
      if (eps != QFORMER_EPS) {
        out.f32("clip.vision.projector.layer_norm_epsilon", (float) eps);
      }
    }
    if (nHead != nEmbd() / HEAD_SIZE) {
      out.u32("clip.vision.projector.attention.head_count", nHead);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (!name.contains(PROJECTORS)) {
      return named(NAMES, name, tensor);
    }
    int index = projectors.indexOf(name);
    if (index < 0) {
      return List.of(); // another one is for the same layer
    }
    String own = name.substring(projectors.list().get(index).prefix().length());
    String target = "v.proj_blk." + index + "." + gguf(PROJECTOR, own, tensor);
    return List.of(new TargetTensor(target, tensor));
  }

  @Override
  protected void check(List<TargetTensor> tensors) {
    super.check(tensors);
    List<String> missing = new ArrayList<>();
    for (int i = 0; i < projectors.list().size(); i++) {
      String name = "v.proj_blk." + i + ".query";
      if (tensors.stream().noneMatch(t -> t.name().equals(name))) {
        missing.add(projectors.list().get(i).prefix());
      }
    }
    if (!missing.isEmpty()) {
      throw context.missingTensors(" of the image encoder", missing);
    }
  }
}
