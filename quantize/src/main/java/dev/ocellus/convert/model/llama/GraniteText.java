package dev.ocellus.convert.model.llama;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.gguf.GgufWriter;
import java.util.Arrays;
import java.util.Optional;

/**
 * Granite (arXiv:2405.04324), dense: Llama with four factors. As the language model of Granite
 * Vision 4 it adds the rows of images in front of some layers.
 */
public final class GraniteText extends LlamaText {
  public GraniteText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "granite";
  }

  /** llama.cpp's converter never says it; a file needs it where it is not as usual. */
  @Override
  protected boolean saysHeadDim() {
    return headDim() != nEmbd / nHead;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    factor(out, "attention.scale", "attention_multiplier");
    factor(out, "embedding_scale", "embedding_multiplier");
    factor(out, "residual_scale", "residual_multiplier");
    factor(out, "logit_scale", "logits_scaling");
    Optional<Granite4Projectors> projectors =
        context.folder().config().modelType().equals("granite4_vision")
            ? Optional.of(Granite4Projectors.of(context))
            : Optional.empty();
    projectors.ifPresent(p -> out.ints("granite.deepstack_mapping", mapping(p)));
  }

  /** Number of the values that are added in front of each layer. */
  private int[] mapping(Granite4Projectors projectors) {
    int[] mapping = new int[nBlock];
    Arrays.fill(mapping, -1);
    int number = projectors.emptyFirst() ? 1 : 0;
    for (Granite4Projectors.Projector p : projectors.list()) {
      if (number > 0) { // the first ones are what goes into the model
        mapping[p.textLayer()] = number;
      }
      number++;
    }
    return mapping;
  }

  private void factor(GgufWriter out, String key, String from) {
    out.f32("granite." + key, (float) config.findReal(from).orElse(1));
  }
}
