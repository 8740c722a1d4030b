package dev.ocellus.convert.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.MiniCpmVersion;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * MiniCPM-V 2.6, 4.0 and 4.5 (arXiv:2408.01800), from the folders of their authors, whose code is
 * not in transformers: SigLIP's tower and a resampler. Keys and names are those of llama.cpp's
 * {@code minicpmv-convert-image-encoder-to-gguf.py}.
 */
final class MiniCpmVVision extends VisionModel {
  private static final int SCALE = 448;
  private static final int MAX_SLICES = 9;

  /** Sides of the table of sines that llama.cpp reads; here they are computed for each slice. */
  private static final int TABLE = 70;

  private static final NameTable NAMES =
      TOWER.with(
          "resampler.query resampler.query",
          "resampler.kv_proj resampler.kv",
          "resampler.attn.out_proj resampler.attn.out",
          "resampler.ln_q resampler.ln_q",
          "resampler.ln_kv resampler.ln_kv",
          "resampler.ln_post resampler.ln_post",
          "resampler.proj resampler.proj.weight");

  MiniCpmVVision(Context context) throws IOException {
    super(
        context,
        context.folder().config().section("vision_config", "siglip_vision_model"),
        settings(context.folder()));
  }

  /** Mean and deviation have names of their own. */
  private static HfConfig settings(HfFolder folder) throws IOException {
    HfConfig found = processor(folder);
    ObjectNode renamed = folder.json("preprocessor_config.json").deepCopy();
    for (String key : new String[] {"mean", "std"}) {
      if (renamed.has("norm_" + key)) {
        renamed.set("image_" + key, renamed.get("norm_" + key));
      } else if (!found.says("image_" + key)) {
        renamed.putArray("image_" + key).add(0.5).add(0.5).add(0.5);
      }
    }
    return found.reworded(renamed);
  }

  @Override
  protected String projector() {
    return "resampler";
  }

  /** Of the square whose pixels a slice has; the table of positions has its own. */
  @Override
  protected int imageSize() {
    var slices = global.findSection("slice_config", "");
    return processor
        .findInteger("scale_resolution")
        .orElseGet(() ->
            slices.isPresent()
                ? slices.get().integerOr("scale_resolution", SCALE)
                : global.integerOr("image_size", SCALE));
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    return name.startsWith("resampler.") ? Optional.of(name) : after(name, "vpm.");
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.bool("clip.has_text_encoder", false);
    out.bool("clip.has_minicpmv_projector", true);
    out.i32("clip.minicpmv_version", MiniCpmVersion.of(global).number());
    out.u32("clip.minicpmv_query_num", global.integer("query_num"));
    out.bool("clip.use_gelu", true);
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    if (!processor.flag("slice_mode", true)) {
      throw processor.invalid("slice_mode", "true, as no file can say otherwise", "false");
    }
    if (!processor.flag("use_image_id", true)) {
      throw processor.invalid("use_image_id", "true, as no file can say otherwise", "false");
    }
    int slices = processor.integerOr("max_slice_nums", MAX_SLICES);
    if (slices != MAX_SLICES) {
      out.u32("clip.vision.preproc_max_tiles", slices);
    }
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> tensors = super.tensors();
    int width = global.integer("hidden_size");
    tensors.add(
        new TargetTensor(
            "resampler.pos_embed_k",
            LazyTensor.of("resampler.pos_embed_k", sines(width)).reshape(TABLE * TABLE, width)));
    return tensors;
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.startsWith("resampler.attn.in_proj_")) {
      String part = name.substring("resampler.attn.in_proj_".length());
      String stem = "resampler.attn.";
      return thirds(tensor, stem + "q." + part, stem + "k." + part, stem + "v." + part);
    }
    if (name.equals("resampler.proj")) {
      if (tensor.rank() != 2) {
        throw new ConversionException("Tensor %s: expected a matrix.".formatted(tensor));
      }
      return named(NAMES, name, tensor.transposed());
    }
    return named(NAMES, name, tensor);
  }

  /** Of the column, then of the line, in single precision, as the reference computes them. */
  private static float[] sines(int width) {
    int quarter = width / 4;
    float[] table = new float[Math.multiplyExact(TABLE * TABLE, width)];
    for (int f = 0; f < quarter; f++) {
      float omega = 1 / (float) Math.pow(10000, (float) f / quarter);
      for (int i = 0; i < TABLE * TABLE; i++) {
        float across = i % TABLE * omega;
        float down = i / TABLE * omega;
        table[i * width + f] = (float) Math.sin(across);
        table[i * width + quarter + f] = (float) Math.cos(across);
        table[i * width + 2 * quarter + f] = (float) Math.sin(down);
        table[i * width + 3 * quarter + f] = (float) Math.cos(down);
      }
    }
    return table;
  }
}
