package dev.ocellus.convert.model.dual;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * SigLIP (arXiv:2303.15343) with one size of images, as {@code SiglipModel} of transformers holds
 * it. The names of the heads are ours.
 */
public class SiglipModel extends DualModel {
  private static final NameTable NAMES = BOTH.with("text.head t.head").with(SiglipHead.NAMES);

  private final HfConfig tokenizer;

  public SiglipModel(Context context) throws IOException {
    this(context, "siglip_vision_model", "siglip_text_model");
  }

  public SiglipModel(Context context, String visionType, String textType) throws IOException {
    super(context, visionType, textType);
    tokenizer =
        HfConfig.of(
            context.folder().file("tokenizer_config.json"),
            context.folder().json("tokenizer_config.json"));
  }

  @Override
  protected String projector() {
    return "siglip";
  }

  /** That of the image tower, whose head projects to no other. */
  @Override
  int dimension() {
    return nEmbd();
  }

  /**
   * Whether its processor gives the model a mask of the padding: where no word says otherwise, but
   * not for SigLIP 2, which was neither trained nor published with one.
   */
  @Override
  protected void more(GgufWriter out) {
    JsonNode inputs = tokenizer.find("model_input_names");
    boolean masks = inputs == null && !isSiglip2();
    if (inputs != null) {
      for (JsonNode name : inputs) {
        masks |= name.asText().equals("attention_mask");
      }
    }
    out.bool("clip.text.padding_mask", masks);
    String side = tokenizer.findString("padding_side").orElse(usualPaddingSide());
    if (side.equals("left")) {
      out.string("clip.text.padding_side", side);
    }
  }

  /** Of the tokenizer's class, where no file says it. */
  private String usualPaddingSide() {
    return isSiglip2() ? "left" : "right";
  }

  /** By the class of the tokenizer: those of one size say nothing else about it. */
  private boolean isSiglip2() {
    String name = tokenizer.findString("tokenizer_class").orElse("");
    return name.startsWith("Gemma") || name.startsWith("Siglip2");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    List<TargetTensor> head = SiglipHead.map(this, name, tensor);
    return head.isEmpty() ? named(NAMES, name, tensor) : head;
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), text.integer("vocab_size"), null).writeSiglip(out);
  }
}
