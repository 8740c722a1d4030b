package dev.ocellus.convert.model.maker;

import dev.ocellus.convert.common.ConversionException;
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
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A VQGAN (arXiv:2012.09841): alone, or in Chameleon or Janus, whose head and embeddings for
 * generating codes come with it. What the weights say is not asked of the configuration, as
 * projects name its keys differently. No published converter fixes the names; docs/gguf.md lists
 * them.
 */
final class VqModel implements ModelConverter {
  private static final String JANUS = "janus";
  private static final Set<String> IGNORED = Set.of("loss.", "quantize.codebook_used");

  private final Context context;
  private final String prefix;
  private final HfConfig root;
  private final HfConfig config;
  private final HfConfig processor;
  private final Map<String, LazyTensor> all;

  VqModel(Context context, String prefix) throws IOException {
    this(context, prefix, context.folder().tensors());
  }

  /**
   * @param all the tensors that count, and those of Janus' head
   */
  VqModel(Context context, String prefix, Map<String, LazyTensor> all) throws IOException {
    this.context = context;
    this.all = all;
    this.prefix = prefix;
    root = context.folder().config();
    config =
        root.findSection("vq_config", "")
            .or(() -> root.findSection("ddconfig", ""))
            .or(() ->
                root.findSection("params", "")
                    .flatMap(params -> params.findSection("ddconfig", "")))
            .orElse(root);
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

  /** As Janus' own authors and LlamaGen's lay it out, where vectors are compared at unit length. */
  private boolean hasConvBlocks() {
    return all.containsKey(prefix + "encoder.conv_blocks.0.res.0.conv1.weight");
  }

  private String family() {
    if (root.modelType().startsWith(JANUS) || prefix.startsWith("gen_")) {
      return JANUS;
    }
    if (root.modelType().startsWith("chameleon")) {
      return "chameleon";
    }
    return hasConvBlocks() ? "llamagen" : "taming";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    LazyTensor codebook = tensor("quantize.embedding.weight");
    if (codebook.rank() != 2) {
      throw new ConversionException(
          "Tensor %s: expected a table of vectors. The checkpoint is damaged.".formatted(codebook));
    }
    boolean unit = hasConvBlocks();
    out.u32("general.file_type", type.fileType());
    out.string("vq.model_type", family());
    out.u32("vq.codebook_size", Math.toIntExact(codebook.size(0)));
    out.u32("vq.embedding_length", Math.toIntExact(codebook.size(1)));
    out.bool("vq.unit_length_search", unit);
    out.bool("vq.unit_length_lookup", unit || family().equals(JANUS));
    new VqImages(processor, resolution(), family().equals(JANUS)).write(out);
    if (hasHead()) {
      new JanusHead(context, all).parameters(out);
    }
  }

  private int resolution() {
    return config
        .findInteger("resolution", "image_size")
        .orElseGet(() -> root.findInteger("resolution", "image_size").orElse(256));
  }

  private boolean hasHead() {
    return JanusHead.isIn(all);
  }

  private LazyTensor tensor(String name) {
    LazyTensor found = all.get(prefix + name);
    if (found == null) {
      throw new ConversionException(
          "%s: tensor '%s' is missing. Is a file of the checkpoint missing?"
              .formatted(context.folder().directory(), prefix + name));
    }
    return found;
  }

  @Override
  public List<TargetTensor> tensors() {
    VqNames names = names();
    List<TargetTensor> out = new ArrayList<>();
    Set<String> known = new TreeSet<>();
    for (Map.Entry<String, LazyTensor> e : all.entrySet()) {
      if (!e.getKey().startsWith(prefix) || isIgnored(e.getKey())) {
        continue;
      }
      String own = e.getKey().substring(prefix.length());
      Optional<String> name = names.find(own);
      if (name.isEmpty()) {
        throw context.unknownTensor(e.getKey(), "a VQ model");
      }
      if (!known.add(name.get())) {
        throw context.sameTensor(name.get(), e.getKey());
      }
      out.add(new TargetTensor(name.get(), shaped(name.get(), e.getValue())));
    }
    if (hasHead()) {
      out.addAll(new JanusHead(context, all).tensors());
    }
    return out;
  }

  private static boolean isIgnored(String name) {
    return IGNORED.stream().anyMatch(name::startsWith) || name.endsWith("codebook_used");
  }

  private VqNames names() {
    int levels = 0;
    while (all.containsKey(prefix + "decoder.up.%d.block.0.conv1.weight".formatted(levels))) {
      levels++;
    }
    boolean lastFirst =
        levels > 0 && !family().equals(JANUS); // transformers' Janus begins with the smallest
    return new VqNames(lastFirst, levels);
  }

  /** Attention's convolutions of 1 by 1 are matrices. */
  private static LazyTensor shaped(String name, LazyTensor tensor) {
    boolean matrix = name.contains(".attn.") && tensor.rank() == 4;
    return matrix && tensor.size(2) == 1 && tensor.size(3) == 1
        ? tensor.reshape(tensor.size(0), tensor.size(1))
        : tensor;
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return TensorTypes.of(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {}
}
