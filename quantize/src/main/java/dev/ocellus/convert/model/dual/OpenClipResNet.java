package dev.ocellus.convert.model.dual;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.gguf.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * CLIP with a residual network (RN50 to RN50x64). The norms of batches, which are fixed numbers
 * when nothing is trained, become part of the convolutions in front of them.
 */
final class OpenClipResNet extends OpenClipModel {
  /** Of {@code torch.nn.BatchNorm2d}. */
  private static final double EPS = 1e-5;

  private static final NameTable POOL =
      NameTable.of(
          "visual.attnpool.positional_embedding v.pool.position_embd.weight",
          "visual.attnpool.q_proj v.pool.attn_q",
          "visual.attnpool.k_proj v.pool.attn_k",
          "visual.attnpool.v_proj v.pool.attn_v",
          "visual.attnpool.c_proj v.pool.attn_out");

  OpenClipResNet(Context context, OpenClipConfig openClip) {
    super(context, openClip, openClip.vision());
  }

  @Override
  protected int imageSize() {
    return openClip.imageSize();
  }

  @Override
  void visionParameters(GgufWriter out) {
    int[] layers = config.integers("layers");
    if (layers.length != 4 || Arrays.stream(layers).anyMatch(n -> n < 1)) {
      throw config.invalid("layers", "four numbers from 1", Arrays.toString(layers));
    }
    int width = config.integer("width");
    out.u32("clip.vision.image_size", imageSize());
    out.put(
        "clip.vision.stage_layers",
        GgufArray.ofIntegers(MetadataType.U32, Arrays.stream(layers).mapToLong(n -> n).toArray()));
    out.u32("clip.vision.width", width);
    out.u32("clip.vision.attention.head_count", width * 32 / config.integer("head_width"));
  }

  @Override
  protected void more(GgufWriter out) {
    textPooling(out);
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (!name.startsWith("visual.")) {
      return super.map(name, tensor);
    }
    if (name.startsWith("visual.attnpool.")) {
      return named(POOL, name, tensor);
    }
    return tensor.rank() == 4 ? folded(name, tensor) : List.of(); // what is left are norms
  }

  /** A convolution and the norm behind it. */
  private List<TargetTensor> folded(String name, LazyTensor kernel) {
    Norm norm = norm(name, kernel);
    String to = place(name);
    long perOutput = kernel.count() / kernel.size(0);
    return List.of(
        new TargetTensor(to + ".weight", kernel.scaledByPart(norm.scale, perOutput)),
        new TargetTensor(to + ".bias", LazyTensor.of(name + " (bias)", norm.shift)));
  }

  private record Norm(float[] scale, float[] shift) {}

  private Norm norm(String name, LazyTensor kernel) {
    String at =
        name.contains(".downsample.")
            ? name.replace(".downsample.0.weight", ".downsample.1.")
            : name.replaceFirst("\\.conv(\\d)\\.weight$", ".bn$1.");
    float[] weight = values(at + "weight", kernel);
    float[] bias = values(at + "bias", kernel);
    float[] mean = values(at + "running_mean", kernel);
    float[] variance = values(at + "running_var", kernel);
    float[] scale = new float[weight.length];
    float[] shift = new float[weight.length];
    for (int i = 0; i < scale.length; i++) {
      double factor = weight[i] / Math.sqrt(variance[i] + EPS);
      scale[i] = (float) factor;
      shift[i] = (float) (bias[i] - mean[i] * factor);
    }
    return new Norm(scale, shift);
  }

  private float[] values(String name, LazyTensor kernel) {
    LazyTensor tensor = context.folder().tensors().get(name);
    if (tensor == null || tensor.count() != kernel.size(0)) {
      throw new ConversionException(
          "%s: expected a tensor '%s' of %d numbers for the convolution '%s', found %s. The checkpoint is incomplete or damaged."
              .formatted(
                  context.folder().directory(), name, kernel.size(0), kernel.name(), tensor));
    }
    return tensor.values();
  }

  private String place(String name) {
    String inside = name.substring("visual.".length(), name.length() - ".weight".length());
    String place =
        inside
            .replaceFirst("^conv(\\d)$", "stem.$1")
            .replaceFirst("^layer(\\d)\\.", "stage.$1.")
            .replace(".downsample.0", ".down");
    return "v." + place;
  }

  @Override
  protected void check(List<TargetTensor> tensors) {
    Map<String, LazyTensor> all = context.folder().tensors();
    List<String> missing = new ArrayList<>();
    for (String name :
        List.of(
            "visual.conv1.weight",
            "visual.layer4.0.conv1.weight",
            "visual.attnpool.c_proj.weight")) {
      if (!all.containsKey(name)) {
        missing.add(name);
      }
    }
    if (!missing.isEmpty()) {
      throw new ConversionException(
          "%s: tensors of the image encoder are missing: %s. Is a file of the checkpoint missing?"
              .formatted(context.folder().directory(), String.join(", ", missing)));
    }
  }

  /** Kernels stay as exact as the norms in them. */
  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    boolean kernel = tensor.data().rank() == 4;
    return kernel || tensor.name().equals("v.pool.position_embd.weight")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
