package dev.ocellus.convert.model.gemma;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TextModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;

/**
 * Gemma (arXiv:2403.08295). Checkpoints hold the weights of norms less one; llama.cpp wants them
 * whole. The head is the embedding.
 */
public class GemmaText extends TextModel {
  private static final double USUAL_THETA = 10000;

  public GemmaText(Context context) {
    super(context);
  }

  @Override
  public String architecture() {
    return "gemma";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    String a = architecture();
    out.u32(a + ".context_length", config.integer("max_position_embeddings"));
    out.u32(a + ".embedding_length", nEmbd);
    out.u32(a + ".block_count", nBlock);
    out.u32(a + ".feed_forward_length", config.integer("intermediate_size"));
    out.u32(a + ".attention.head_count", nHead);
    out.u32(a + ".attention.head_count_kv", nHeadKv);
    out.f32(a + ".attention.layer_norm_rms_epsilon", (float) config.real("rms_norm_eps"));
    out.u32(a + ".attention.key_length", config.integer("head_dim"));
    out.u32(a + ".attention.value_length", config.integer("head_dim"));
    if (rope.theta() != USUAL_THETA) {
      out.f32(a + ".rope.freq_base", (float) rope.theta());
    }
    out.u32("general.file_type", type.fileType());
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.equals("lm_head.weight")) {
      return List.of(); // a copy of the embedding, which some tools write
    }
    LazyTensor whole = name.endsWith("norm.weight") ? tensor.plus(1) : tensor;
    return List.of(new TargetTensor(gguf(name), whole));
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), nVocab(), context.preTokenizer()).writeGemma(out);
  }
}
