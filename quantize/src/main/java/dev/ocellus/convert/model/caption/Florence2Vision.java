package dev.ocellus.convert.model.caption;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TensorTypes;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Florence-2's image encoder (arXiv:2311.06242): DaViT and a projection with positions. Reads the
 * layout of transformers and that of the first checkpoints, whose code came with them. llama.cpp
 * has no converter for it; docs/gguf.md tells what is written.
 */
public final class Florence2Vision extends VisionModel {
  private static final Pattern BLOCK =
      Pattern.compile("blocks\\.(\\d+)\\.(\\d+)\\.(spatial|channel)_block\\.(.+)");
  private static final Pattern STEM = Pattern.compile("convs\\.(\\d+)\\.(?:conv|proj)\\.(.+)");
  private static final Pattern STEM_NORM = Pattern.compile("convs\\.(\\d+)\\.norm\\.(.+)");

  /** Parts of a block in both layouts, without the ending. */
  private static final NameTable PARTS =
      NameTable.of(
          "conv1 conv1",
          "conv1.fn.dw conv1",
          "conv2 conv2",
          "conv2.fn.dw conv2",
          "norm1 ln1",
          "norm2 ln2",
          "window_attn.norm ln1",
          "channel_attn.norm ln1",
          "ffn.norm ln2",
          "window_attn.proj attn_out",
          "window_attn.fn.proj attn_out",
          "channel_attn.proj attn_out",
          "channel_attn.fn.proj attn_out",
          "ffn.fc1 ffn_up",
          "ffn.fn.net.fc1 ffn_up",
          "ffn.fc2 ffn_down",
          "ffn.fn.net.fc2 ffn_down");

  private static final NameTable PROJECTOR =
      NameTable.of(
          "image_projection mm.model.fc",
          "image_proj_norm mm.post_norm",
          "image_position_embed.row_embeddings mm.row_embd",
          "image_position_embed.column_embeddings mm.column_embd",
          "image_pos_embed.row_embeddings mm.row_embd",
          "image_pos_embed.column_embeddings mm.column_embd");

  private static final String OCR_PATTERN = "(.+?)" + "<loc_(\\d+)>".repeat(8);
  private static final String TEMPORAL = "visual_temporal_embed.pos_idx_to_embed";

  private final int[] widths;

  public Florence2Vision(Context context) throws IOException {
    super(context, "florence_vision");
    widths = numbers("embed_dim", "dim_embed");
  }

  private int[] numbers(String... keys) {
    for (String key : keys) {
      if (config.says(key)) {
        return config.integers(key);
      }
    }
    return config.integers(keys[0]);
  }

  @Override
  protected String projector() {
    return "florence2";
  }

  /** Sizes of stages are lists, which have keys of their own. */
  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.u32("general.file_type", type.fileType());
    out.string("clip.projector_type", projector());
    out.bool("clip.has_vision_encoder", true);
    out.u32("clip.vision.projection_dim", nEmbdText());
    size(out);
    out.u32("clip.vision.window_size", config.integer("window_size"));
    out.ints("clip.vision.stage.embedding_length", widths);
    out.ints("clip.vision.stage.block_count", numbers("depths"));
    out.ints("clip.vision.stage.head_count", numbers("num_heads"));
    out.ints("clip.vision.stage.group_count", numbers("num_groups"));
    out.ints("clip.vision.stage.kernel_size", numbers("patch_size"));
    out.ints("clip.vision.stage.stride", numbers("patch_stride"));
    out.ints("clip.vision.stage.padding", numbers("patch_padding"));
    out.ints("clip.vision.stage.norm_before", flags("patch_prenorm"));
    colours(out);
    String act = config.findString("activation_function").orElse("gelu");
    if (!act.equals("gelu")) {
      requireKnown(config, act);
      out.string("clip.vision.hidden_act", act);
    }
    unusual(out);
    reading(out);
  }

  /** How answers are read, where the processor's configuration says more than its code. */
  private void reading(GgufWriter out) {
    JsonNode config = processor.find("post_processor_config");
    if (config == null) {
      return;
    }
    List<String> banned = new ArrayList<>();
    config
        .path("phrase_grounding")
        .path("banned_grounding_tokens")
        .forEach(phrase -> banned.add(phrase.asText()));
    if (!banned.isEmpty()) {
      out.strings("florence2.banned_phrases", banned);
    }
    double minArea = config.path("ocr").path("AREA_THRESHOLD").asDouble(0);
    if (minArea > 0) {
      out.f32("florence2.ocr_min_area", (float) minArea);
    }
    JsonNode pattern = config.path("ocr").path("PATTERN");
    if (pattern.isTextual() && !pattern.asText().equals(OCR_PATTERN)) {
      throw processor.invalid("post_processor_config.ocr.PATTERN", OCR_PATTERN, pattern.asText());
    }
  }

  /** Every image is stretched to one size. */
  private void size(GgufWriter out) {
    JsonNode size = processor.find("size");
    int width = side(size, "width");
    int height = side(size, "height");
    JsonNode crop = processor.find("crop_size");
    if (processor.flag("do_center_crop", false)
        && (side(crop, "width") != width || side(crop, "height") != height)) {
      throw processor.invalid("do_center_crop", "false, or a crop_size as size", "" + crop);
    }
    out.u32("clip.vision.image_width", width);
    out.u32("clip.vision.image_height", height);
  }

  private int side(@Nullable JsonNode size, String key) {
    JsonNode value = size == null ? null : size.get(key);
    if (value == null || !value.isInt() || value.intValue() < 1) {
      throw processor.invalid("size", "an object with width and height in pixels", "" + size);
    }
    return value.intValue();
  }

  private int[] flags(String key) {
    JsonNode list = config.find(key);
    if (list == null || !list.isArray()) {
      throw config.missing(key, "a list of true and false");
    }
    int[] out = new int[list.size()];
    for (int i = 0; i < out.length; i++) {
      out[i] = list.get(i).asBoolean() ? 1 : 0;
    }
    return out;
  }

  @Override
  protected void more(GgufWriter out) {}

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu");
  }

  @Override
  protected Optional<String> own(String name) {
    Optional<String> bare = inTower(name).or(() -> inProjector(name));
    if (bare.isPresent()) {
      return bare;
    }
    boolean original =
        name.startsWith("image_proj")
            || name.startsWith("image_pos_embed.")
            || name.startsWith("visual_temporal_embed.");
    return original ? Optional.of(name) : Optional.empty();
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    Matcher m = BLOCK.matcher(name);
    if (m.matches()) {
      return block(
          "v.stage.%s.%s.%s.".formatted(m.group(1), m.group(2), m.group(3)), m.group(4), tensor);
    }
    m = STEM.matcher(name);
    if (m.matches()) {
      return one("v.stage.%s.conv.%s".formatted(m.group(1), m.group(2)), tensor);
    }
    m = STEM_NORM.matcher(name);
    if (m.matches()) {
      return one("v.stage.%s.conv_ln.%s".formatted(m.group(1), m.group(2)), tensor);
    }
    if (name.equals(TEMPORAL)) { // of which an image takes the first row
      return tensor.rank() == 2
          ? one("mm.temporal_embd", tensor.slice(0, 1).reshape(tensor.size(1)))
          : one("mm.temporal_embd", tensor);
    }
    if (name.equals("image_projection")) { // the first checkpoints multiply from the other side
      return one("mm.model.fc.weight", tensor.transposed());
    }
    return named(PROJECTOR, name, tensor);
  }

  private List<TargetTensor> block(String prefix, String part, LazyTensor tensor) {
    int qkv = part.indexOf(".qkv.");
    if (qkv >= 0) {
      String ending = part.substring(qkv + ".qkv".length());
      String to = prefix + "attn_";
      return thirds(tensor, to + "q" + ending, to + "k" + ending, to + "v" + ending);
    }
    return one(prefix + gguf(PARTS, part, tensor), tensor);
  }

  private static List<TargetTensor> one(String name, LazyTensor tensor) {
    return List.of(new TargetTensor(name, tensor));
  }

  @Override
  protected void check(List<TargetTensor> tensors) {
    Set<String> names = new TreeSet<>();
    for (TargetTensor t : tensors) {
      if (!names.add(t.name())) {
        throw context.sameTensor(t.name(), t.data().name());
      }
    }
    List<String> missing = required().stream().filter(name -> !names.contains(name)).toList();
    if (!missing.isEmpty()) {
      throw context.missingTensors(" of the image encoder", missing);
    }
  }

  private List<String> required() {
    List<String> out =
        new ArrayList<>(
            List.of(
                "mm.model.fc.weight",
                "mm.post_norm.weight",
                "mm.row_embd.weight",
                "mm.column_embd.weight"));
    int[] depths = numbers("depths");
    for (int stage = 0; stage < depths.length; stage++) {
      out.add("v.stage.%d.conv.weight".formatted(stage));
      for (int block = 0; block < depths[stage]; block++) {
        for (String half : List.of("spatial", "channel")) {
          for (String part :
              List.of("conv1", "conv2", "ln1", "ln2", "attn_q", "attn_out", "ffn_up", "ffn_down")) {
            out.add("v.stage.%d.%d.%s.%s.weight".formatted(stage, block, half, part));
          }
        }
      }
    }
    return out;
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    boolean small =
        tensor.data().rank() != 2
            || tensor.name().equals("mm.row_embd.weight")
            || tensor.name().equals("mm.column_embd.weight");
    return small ? TensorType.F32 : TensorTypes.of(tensor, type);
  }
}
