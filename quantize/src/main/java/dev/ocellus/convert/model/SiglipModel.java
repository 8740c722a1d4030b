package dev.ocellus.convert.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * SigLIP (arXiv:2303.15343) with one size of images, as {@code SiglipModel} of transformers holds
 * it. The names of the heads are ours.
 */
final class SiglipModel extends DualModel {
  private static final NameTable NAMES =
      BOTH.with(
          "text.head t.head",
          "head.probe v.head.probe",
          "head.attention.out_proj v.head.attn_out",
          "head.layernorm v.head.ln",
          "head.mlp.fc1 v.head.ffn_up",
          "head.mlp.fc2 v.head.ffn_down");

  private static final String IN = "head.attention.in_proj_";

  private final HfConfig tokenizer;

  SiglipModel(Context context) throws IOException {
    super(context, "siglip_vision_model", "siglip_text_model");
    tokenizer =
        HfConfig.of(
            context.folder().file("tokenizer_config.json"),
            context.folder().json("tokenizer_config.json"));
  }

  @Override
  String projector() {
    return "siglip";
  }

  /** That of the image tower, whose head projects to no other. */
  @Override
  int dimension() {
    return nEmbd();
  }

  /** Whether its processor gives the model a mask of the padding: where no word says otherwise. */
  @Override
  void more(GgufWriter out) {
    JsonNode inputs = tokenizer.find("model_input_names");
    boolean masks = inputs == null;
    if (inputs != null) {
      for (JsonNode name : inputs) {
        masks |= name.asText().equals("attention_mask");
      }
    }
    out.bool("clip.text.padding_mask", masks);
  }

  @Override
  List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.startsWith(IN)) {
      String ending = "." + name.substring(IN.length());
      return thirds(
          tensor, "v.head.attn_q" + ending, "v.head.attn_k" + ending, "v.head.attn_v" + ending);
    }
    if (name.equals("head.probe")) {
      return named(NAMES, name, tensor.reshape(tensor.count()));
    }
    return named(NAMES, name, tensor);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), text.integer("vocab_size"), null).writeSiglip(out);
  }
}
