package dev.ocellus.convert.model.dual;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * open_clip's image encoder with a BERT or RoBERTa of transformers as text encoder.
 *
 * <p>The reference is {@code HFTextEncoder} of open_clip: <a
 * href="https://github.com/mlfoundations/open_clip/blob/v3.3.0/src/open_clip/hf_model.py">hf_model.py</a>.
 */
final class OpenClipBert extends OpenClipModel {
  private static final String HF = "text.transformer.";
  private static final String POOLER = "pooler";

  private static final NameTable NAMES =
      ChineseClipModel.NAMES.with(
          "text.pooler.dense t.pooler",
          "text.proj text_projection",
          "text.proj.0.weight text_projection.0.weight",
          "text.proj.2.weight text_projection.1.weight");

  private final BertVariant variant;
  private final String pooling;

  private OpenClipBert(Context context, OpenClipConfig openClip, HfConfig text) {
    super(context, openClip, openClip.visionWords(), text);
    variant = new BertVariant(text);
    pooling = pooling(openClip, text);
  }

  static OpenClipBert of(Context context, OpenClipConfig openClip) throws IOException {
    return new OpenClipBert(context, openClip, OpenClipTextConfig.of(context, openClip));
  }

  /** What speaks for a text; where the configuration has null, what open_clip says of the kind. */
  private static String pooling(OpenClipConfig openClip, HfConfig text) {
    boolean isBert = text.findString("model_type").orElse("").equals("bert");
    String name = openClip.text().findString("hf_pooler_type").orElse("");
    return switch (name) {
      case "mean_pooler" -> "mean";
      case "cls_pooler" -> POOLER;
      case "cls_last_hidden_state_pooler" -> "first";
      case "" -> isBert ? "first" : "mean";
      default ->
          throw openClip.unsupported(
              "text_cfg.hf_pooler_type",
              "what is not computed ('%s'); known are mean_pooler, cls_pooler and cls_last_hidden_state_pooler"
                  .formatted(name));
    };
  }

  @Override
  protected String projector() {
    return "clip_bert";
  }

  @Override
  int contextLength() {
    return Math.min(openClip.text().integer("context_length"), variant.contextLength());
  }

  @Override
  void textPooling(GgufWriter out) {
    out.string("clip.text.pooling", pooling);
    out.string("clip.text.cleaning", openClip.cleaning());
    String projection = openClip.text().findString("hf_proj_type").orElse("");
    boolean has = !projection.isEmpty();
    if (has && !projection.equals("linear") && !projection.equals("mlp")) {
      throw new UnsupportedArchitectureException(
          "%s: text_cfg.hf_proj_type '%s' is not known; known are linear and mlp"
              .formatted(global.file(), projection));
    }
    if (!has && text.integer("hidden_size") != dimension()) {
      throw openClip
          .text()
          .invalid("hf_proj_type", "linear or mlp, as the widths differ", "nothing");
    }
    if (!has) {
      out.bool("clip.text.has_projection", false);
    }
  }

  /** A pooler that is not used may be there all the same. */
  @Override
  protected Optional<String> own(String name) {
    return super.own(name)
        .map(n -> after(n, HF).map(rest -> "text." + rest).orElse(n))
        .filter(n -> !n.endsWith("token_type_ids"))
        .filter(n -> !n.startsWith("text.pooler.") || pooling.equals(POOLER));
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (!name.startsWith("text.")) {
      return super.map(name, tensor);
    }
    if (name.equals(ChineseClipModel.TYPES)) {
      return List.of(ChineseClipModel.firstType(tensor));
    }
    return List.of(variant.target(name, gguf(NAMES, name, tensor), tensor, contextLength()));
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    variant.tokenizer(out, context.folder());
  }
}
