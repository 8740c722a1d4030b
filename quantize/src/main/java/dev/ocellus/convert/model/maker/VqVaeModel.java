package dev.ocellus.convert.model.maker;

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

/**
 * A VQ-VAE (arXiv:1711.00937) as docs/demo-model/train_images.py writes it, and a prior over its
 * codes if the checkpoint has one.
 */
final class VqVaeModel implements ModelConverter {
  private static final String PRIOR = "prior.";

  private final Context context;
  private final HfConfig config;
  private final HfConfig processor;

  VqVaeModel(Context context) throws IOException {
    this.context = context;
    config = context.folder().config();
    processor = VisionModel.processor(context.folder());
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
    out.u32("general.file_type", type.fileType());
    out.string("vq.model_type", "vqvae");
    out.u32("vq.codebook_size", config.integer("num_embeddings"));
    out.u32("vq.embedding_length", config.integer("embed_dim"));
    new VqImages(processor, config.integer("image_size"), false).write(out);
    config
        .findSection("prior", "imagegpt")
        .ifPresent(prior -> new PixelPrior(context, prior, "vq.prior.").parameters(out));
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    for (Map.Entry<String, LazyTensor> e : context.folder().tensors().entrySet()) {
      String name = e.getKey();
      if (name.startsWith(PRIOR)) {
        HfConfig prior = config.section("prior", "imagegpt");
        new PixelPrior(context, prior, "vq.prior.")
            .target(name.substring(PRIOR.length()), e.getValue())
            .forEach(t -> out.add(new TargetTensor(PRIOR + t.name(), t.data())));
      } else if (name.equals("codebook.weight")) {
        out.add(new TargetTensor(name, e.getValue()));
      } else if (name.matches("(encoder|decoder)\\.(down|mid|res|out|in|up)\\..*")) {
        out.add(new TargetTensor(name.substring(0, 3) + name.substring(7), e.getValue()));
      } else {
        throw context.unknownTensor(name, "a VQ-VAE");
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
