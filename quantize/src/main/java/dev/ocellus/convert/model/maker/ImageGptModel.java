package dev.ocellus.convert.model.maker;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TensorTypes;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** ImageGPT (Chen et al., 2020) with the colours of its processor, which are part of the model. */
final class ImageGptModel implements ModelConverter {
  private static final int BILINEAR = 2;

  private final Context context;
  private final HfConfig config;
  private final HfConfig processor;
  private final PixelPrior prior;

  ImageGptModel(Context context) throws IOException {
    this.context = context;
    config = context.folder().config().as("imagegpt");
    processor = VisionModel.processor(context.folder());
    prior = new PixelPrior(context, config, "imagegpt.");
  }

  @Override
  public String architecture() {
    return "imagegpt";
  }

  @Override
  public String generalType() {
    return "model";
  }

  @Override
  public boolean keepsF32() {
    return true;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.u32("general.file_type", type.fileType());
    prior.parameters(out);
    int positions = config.integer("n_positions");
    int[] size = size(positions);
    out.u32("imagegpt.image_width", size[0]);
    out.u32("imagegpt.image_height", size[1]);
    out.u32("imagegpt.image_resample", processor.integerOr("resample", BILINEAR));
    for (String key : new String[] {"image_mean", "image_std"}) {
      float[] values =
          processor.flag("do_normalize", true)
              ? processor.findFloats(key).orElse(new float[] {0.5f, 0.5f, 0.5f})
              : key.equals("image_mean") ? new float[3] : new float[] {1, 1, 1};
      out.floats("imagegpt." + key, values);
    }
    out.floats("imagegpt.colours", colours());
  }

  private int[] size(int positions) {
    JsonNode size = processor.find("size");
    int side = (int) Math.round(Math.sqrt(positions));
    int width =
        size == null ? side : size.isNumber() ? size.asInt() : size.path("width").asInt(side);
    int height =
        size == null ? side : size.isNumber() ? size.asInt() : size.path("height").asInt(side);
    if ((long) width * height != positions) {
      throw processor.invalid(
          "size",
          "as many pixels as config.json has positions, " + positions,
          width + " x " + height);
    }
    return new int[] {width, height};
  }

  private float[] colours() {
    JsonNode clusters = processor.find("clusters");
    if (clusters == null || !clusters.isArray()) {
      throw processor.missing("clusters", "the colours, three numbers each");
    }
    int expected = config.integer("vocab_size") - 1;
    if (clusters.size() != expected) {
      throw processor.invalid(
          "clusters", expected + " colours, one less than vocab_size", "" + clusters.size());
    }
    float[] out = new float[3 * expected];
    for (int i = 0; i < expected; i++) {
      for (int c = 0; c < 3; c++) {
        JsonNode number = clusters.get(i).path(c);
        if (!number.isNumber() || clusters.get(i).size() != 3) {
          throw processor.invalid("clusters", "three numbers each", "" + clusters.get(i));
        }
        out[3 * i + c] = (float) number.doubleValue();
      }
    }
    return out;
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    boolean tied = config.flag("tie_word_embeddings", false);
    for (Map.Entry<String, LazyTensor> e : context.folder().tensors().entrySet()) {
      boolean tiedCopy = tied && e.getKey().equals("lm_head.weight");
      if (!tiedCopy) {
        out.addAll(prior.target(e.getKey(), e.getValue()));
      }
    }
    return out;
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return TensorTypes.of(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {}
}
