package dev.ocellus.convert.model.maker;

import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Janus-Pro (arXiv:2501.17811), the half that looks at images: a SigLIP tower and an aligner. The
 * half that draws them is left out.
 */
public final class JanusVision extends VisionModel {
  private static final NameTable NAMES =
      TOWER.with("encoder.layers.#.self_attn.projection_layer v.blk.#.attn_out", "fc1 mm.0");

  /** Of the published processors. */
  private static final int MIN_SIZE = 14;

  private static final String HIDDEN = "hidden_layers.";

  public JanusVision(Context context) throws IOException {
    super(context, "janus_vision_model");
  }

  @Override
  protected String projector() {
    return "janus_pro";
  }

  /** The class has depth for the aligner, so only this key counts. */
  @Override
  protected int nBlock() {
    return config.integer("num_hidden_layers");
  }

  @Override
  protected int nFf() {
    return config
        .findInteger("intermediate_size")
        .orElseGet(() -> (int) Math.rint(nEmbd() * config.real("mlp_ratio")));
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-6));
    activation(out);
    int min = processor.integerOr("min_size", MIN_SIZE);
    if (min != MIN_SIZE) {
      out.u32("clip.vision.preproc_min_size", min);
    }
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu", "silu");
  }

  @Override
  protected Optional<String> own(String name) {
    return after(name, "model.vision_model.", "vision_model.", "model.aligner.", "aligner.");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.startsWith(HIDDEN)) {
      String[] parts = name.substring(HIDDEN.length()).split("\\.", 2);
      if (parts.length == 2 && parts[0].matches("\\d{1,3}")) {
        return List.of(
            new TargetTensor(
                "mm.%d.%s".formatted(Integer.parseInt(parts[0]) + 1, parts[1]), tensor));
      }
    }
    return named(NAMES, name, tensor);
  }
}
