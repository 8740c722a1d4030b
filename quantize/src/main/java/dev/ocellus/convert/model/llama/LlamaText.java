package dev.ocellus.convert.model.llama;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.GenerationKeys;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * Llama 1 to 3 (arXiv:2302.13971) and Mistral (arXiv:2310.06825), which are one architecture in
 * llama.cpp, and what is built like them: SmolLM2, InternLM3. Rows of queries and keys are
 * interleaved.
 */
public class LlamaText extends TextModel {
  public LlamaText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "llama";
  }

  /** Llama's configuration class derives {@code head_dim}, so it is always known. */
  @Override
  protected boolean saysHeadDim() {
    return true;
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    out.u32(architecture() + ".vocab_size", nVocab());
    out.u32(architecture() + ".rope.dimension_count", headDim());
    if (rope.isLong()) {
      rope.writeLong(out, architecture());
    }
    if (context.folder().config().modelType().equals("instructblip")) {
      GenerationKeys.write(out, context, config);
    }
  }

  @Override
  protected List<TargetTensor> extraTensors() {
    return rope.isLong() ? rope.longAndShort(headDim()) : super.extraTensors();
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    String target = gguf(name);
    if (name.contains(".q_proj.")) {
      return List.of(new TargetTensor(target, interleaved(tensor, nHead)));
    }
    if (name.contains(".k_proj.")) {
      return List.of(new TargetTensor(target, interleaved(tensor, nHeadKv)));
    }
    return List.of(new TargetTensor(target, tensor));
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeLlama(out);
  }
}
