package dev.ocellus.convert.model.maker;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TensorTypes;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * LlamaGen (arXiv:2406.06525) for drawing classes: a VQ model and a transformer over its codes, in
 * one file. A VQ model alone is {@link VqModel}.
 */
final class LlamaGenModel implements ModelConverter {
  private final VqModel vq;
  private final ClassPrior prior;

  LlamaGenModel(Context context) throws IOException {
    Map<String, LazyTensor> codes = new LinkedHashMap<>();
    Map<String, LazyTensor> transformer = new LinkedHashMap<>();
    context
        .folder()
        .tensors()
        .forEach((name, tensor) -> (ClassPrior.has(name) ? transformer : codes).put(name, tensor));
    if (codes.isEmpty() || transformer.isEmpty()) {
      throw new ConversionException(
          "%s: expected the transformer and the VQ model of LlamaGen, such as c2i_B_256.pt and vq_ds16_c2i.pt, found only the %s. Put both into the folder."
              .formatted(
                  context.folder().directory(), codes.isEmpty() ? "transformer" : "VQ model"));
    }
    vq = new VqModel(context, "", codes);
    prior = new ClassPrior(context, transformer, factor(codes));
  }

  /** Pixels for each code: the maps are halved behind all levels but the last. */
  private static int factor(Map<String, LazyTensor> codes) {
    int levels = 0;
    while (codes.containsKey("encoder.conv_blocks.%d.res.0.conv1.weight".formatted(levels))) {
      levels++;
    }
    return 1 << Math.max(0, levels - 1);
  }

  @Override
  public String architecture() {
    return "vq";
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
    vq.parameters(out, type);
    prior.parameters(out);
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> all = new ArrayList<>(vq.tensors());
    all.addAll(prior.tensors());
    return all;
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return TensorTypes.of(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {}
}
