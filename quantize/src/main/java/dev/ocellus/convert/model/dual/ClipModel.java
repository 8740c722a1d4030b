package dev.ocellus.convert.model.dual;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/** CLIP (arXiv:2103.00020) as {@code CLIPModel} of transformers holds it. */
public class ClipModel extends DualModel {
  private static final NameTable NAMES =
      BOTH.with("visual_projection visual_projection", "text_projection text_projection");

  /**
   * {@code eos_token_id} of the first configurations, which stands for the highest id of a text.
   */
  private static final int HIGHEST_ID = 2;

  public ClipModel(Context context) throws IOException {
    this(context, "clip_vision_model", "clip_text_model");
  }

  public ClipModel(Context context, String visionType, String textType) throws IOException {
    super(context, visionType, textType);
  }

  @Override
  protected String projector() {
    return "clip";
  }

  @Override
  int dimension() {
    return global.integer("projection_dim");
  }

  /** The tower takes one size, so the reference fails where the crop gives it another. */
  final void requireSquareCrop() {
    JsonNode crop = processor.find("crop_size");
    JsonNode size = processor.find("size");
    boolean stretches = size != null && size.has("height") && size.has("width");
    if (!processor.flag("do_center_crop", true)) {
      if (!stretches) {
        throw processor.invalid("do_center_crop", "true, as images have any shape", "false");
      }
      return;
    }
    if (crop == null) {
      return;
    }
    int height = crop.isNumber() ? crop.asInt() : crop.path("height").asInt();
    int width = crop.isNumber() ? crop.asInt() : crop.path("width").asInt();
    if (height != imageSize() || width != imageSize()) {
      throw processor.invalid(
          "crop_size", "%1$d x %1$d, as the tower takes".formatted(imageSize()), "" + crop);
    }
  }

  @Override
  protected void more(GgufWriter out) {
    requireSquareCrop();
    int end = text.integer("eos_token_id");
    if (end != HIGHEST_ID) {
      out.u32("clip.text.eos_token_id", end);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return named(NAMES, name, tensor);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), text.integer("vocab_size"), null).writeClip(out);
  }
}
