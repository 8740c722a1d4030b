package dev.ocellus.convert.model.maker;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.TensorTypes;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A generator or critic in the shape of DCGAN (arXiv:1511.06434), under the names that a sequence
 * of PyTorch's modules has: {@code main.0.weight} and so on, as PyTorch's own DCGAN example saves
 * it. Convolutions are what has four dimensions, batch norms what has a running mean; these are
 * worked into the convolutions before them. docs/gguf.md tells the configuration.
 */
final class DcganModel implements ModelConverter {
  private static final Pattern NAME =
      Pattern.compile("(?:.*\\.)?(\\d{1,3})\\.(weight|bias|running_mean|running_var)");
  private static final double BATCH_NORM_EPS = 1e-5;
  private static final double SLOPE = 0.2;

  /** A convolution, and the batch norm behind it. */
  private record Layer(Map<String, LazyTensor> conv, Map<String, LazyTensor> norm) {
    LazyTensor weight() {
      return conv.getOrDefault("weight", LazyTensor.of(""));
    }
  }

  private final Context context;
  private final HfConfig config;
  private final List<Layer> layers;
  private final boolean generates;

  DcganModel(Context context) {
    this.context = context;
    config = context.folder().config();
    layers = layers();
    generates = generates();
  }

  private List<Layer> layers() {
    Map<Integer, Map<String, LazyTensor>> modules = new TreeMap<>();
    for (Map.Entry<String, LazyTensor> e : context.folder().tensors().entrySet()) {
      Matcher m = NAME.matcher(e.getKey());
      if (m.matches()) {
        modules
            .computeIfAbsent(Integer.parseInt(m.group(1)), i -> new TreeMap<>())
            .put(m.group(2), e.getValue());
      } else if (!e.getKey().endsWith("num_batches_tracked")) {
        throw new ConversionException(
            "%s: tensor '%s' has no place in a DCGAN; expected names such as main.0.weight."
                .formatted(context.folder().directory(), e.getKey()));
      }
    }
    List<Layer> found = new ArrayList<>();
    modules.forEach((index, tensors) -> {
      LazyTensor weight = tensors.get("weight");
      if (weight != null && weight.rank() == 4) {
        found.add(new Layer(tensors, new TreeMap<>()));
      } else if (tensors.containsKey("running_mean") && !found.isEmpty()) {
        found.getLast().norm().putAll(tensors);
      } else {
        throw new ConversionException(
            "%s: module %d is neither a convolution nor a batch norm behind one; its tensors are %s."
                .formatted(context.folder().directory(), index, tensors.keySet()));
      }
    });
    if (found.isEmpty()) {
      throw new ConversionException(
          "%s: no convolutions. Is a file of the checkpoint missing?"
              .formatted(context.folder().directory()));
    }
    return found;
  }

  /** A critic ends in one number, a generator in colours. */
  private boolean generates() {
    String role = config.findString("role").orElse("");
    if (role.equals("generator") || role.equals("critic")) {
      return role.equals("generator");
    }
    if (!role.isEmpty()) {
      throw config.invalid("role", "generator or critic", "'" + role + "'");
    }
    return layers.getLast().weight().size(0) != 1;
  }

  private int channelsOf(LazyTensor kernel, boolean out) {
    return Math.toIntExact(kernel.size(out == generates ? 1 : 0));
  }

  @Override
  public String architecture() {
    return "dcgan";
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
    int n = layers.size();
    int[] strides = geometry("strides", 1, 2);
    int[] paddings = geometry("paddings", 0, 1);
    out.u32("general.file_type", type.fileType());
    out.string("dcgan.role", generates ? "generator" : "critic");
    out.u32("dcgan.layer_count", n);
    out.ints("dcgan.strides", strides);
    out.ints("dcgan.paddings", paddings);
    boolean leaky =
        config
            .findString("hidden_act")
            .orElse(generates ? "relu" : "leaky_relu")
            .equals("leaky_relu");
    out.f32(
        "dcgan.negative_slope",
        leaky ? (float) config.findReal("negative_slope").orElse(SLOPE) : 0f);
    boolean norms = layers.stream().anyMatch(layer -> !layer.norm().isEmpty());
    String usual = generates ? "tanh" : norms ? "sigmoid" : "";
    String act = config.findString("output_act").orElse(usual);
    out.string("dcgan.output_act", act.equals("none") ? "" : act);
    LazyTensor colours = generates ? layers.getLast().weight() : layers.getFirst().weight();
    out.u32("dcgan.channels", channelsOf(colours, generates));
    int side = generates ? side(strides, paddings) : criticSide(strides, paddings);
    out.u32("dcgan.image_width", side);
    out.u32("dcgan.image_height", side);
    for (String key : new String[] {"image_mean", "image_std"}) {
      config.findFloats(key).ifPresent(values -> out.floats("dcgan." + key, values));
    }
  }

  /** As in PyTorch's example: the end with one pixel has a step of 1 and no padding. */
  private int[] geometry(String key, int atEnd, int elsewhere) {
    int[] given = config.integers(key);
    int n = layers.size();
    if (given.length == n) {
      return given;
    }
    if (given.length != 0) {
      throw config.invalid(key, n + " numbers, one for each convolution", "" + given.length);
    }
    int[] values = new int[n];
    java.util.Arrays.fill(values, elsewhere);
    values[generates ? 0 : n - 1] = atEnd;
    return values;
  }

  private int side(int[] strides, int[] paddings) {
    int side = 1;
    for (int i = 0; i < layers.size(); i++) {
      int kernel = Math.toIntExact(layers.get(i).weight().size(2));
      side = (side - 1) * strides[i] - 2 * paddings[i] + kernel;
    }
    return config.integerOr("image_size", side);
  }

  /** The size from which the layers come to one pixel. */
  private int criticSide(int[] strides, int[] paddings) {
    int side = 1;
    for (int i = layers.size() - 1; i >= 0; i--) {
      int kernel = Math.toIntExact(layers.get(i).weight().size(2));
      side = (side - 1) * strides[i] - 2 * paddings[i] + kernel;
    }
    return config.integerOr("image_size", side);
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    for (int i = 0; i < layers.size(); i++) {
      Layer layer = layers.get(i);
      String name = "layer." + i + ".";
      LazyTensor weight = layer.weight();
      LazyTensor bias = layer.conv().get("bias");
      if (layer.norm().isEmpty()) {
        out.add(new TargetTensor(name + "weight", weight));
        if (bias != null) {
          out.add(new TargetTensor(name + "bias", bias));
        }
        continue;
      }
      int n = channelsOf(weight, true);
      float[] scale = scale(layer, n);
      out.add(new TargetTensor(name + "weight", scaled(weight, scale)));
      out.add(new TargetTensor(name + "bias", bias(layer, scale, bias)));
    }
    return out;
  }

  private float[] scale(Layer layer, int n) {
    float[] variance = values(layer, "running_var", n, 1);
    float[] gamma = values(layer, "weight", n, 1);
    double eps = config.findReal("batch_norm_eps").orElse(BATCH_NORM_EPS);
    float[] scale = new float[n];
    for (int c = 0; c < n; c++) {
      scale[c] = (float) (gamma[c] / Math.sqrt(variance[c] + eps));
    }
    return scale;
  }

  private LazyTensor bias(
      Layer layer, float[] scale, @org.jspecify.annotations.Nullable LazyTensor own) {
    int n = scale.length;
    float[] mean = values(layer, "running_mean", n, 0);
    float[] beta = values(layer, "bias", n, 0);
    float[] before = own == null ? new float[n] : own.values();
    float[] folded = new float[n];
    for (int c = 0; c < n; c++) {
      folded[c] = (float) (beta[c] + ((double) before[c] - mean[c]) * scale[c]);
    }
    return LazyTensor.of(layer.weight().name() + " (bias)", folded);
  }

  private float[] values(Layer layer, String name, int n, float missing) {
    LazyTensor tensor = layer.norm().get(name);
    if (tensor == null) {
      float[] all = new float[n];
      java.util.Arrays.fill(all, missing);
      return all;
    }
    if (tensor.count() != n) {
      throw new ConversionException(
          "Tensor %s: expected %d numbers, as the convolution before it has channels. The checkpoint is damaged."
              .formatted(tensor, n));
    }
    return tensor.values();
  }

  /** A kernel is [out, in, …], and a transposed one [in, out, …]. */
  private LazyTensor scaled(LazyTensor kernel, float[] scale) {
    long area = kernel.size(2) * kernel.size(3);
    if (!generates) {
      return kernel.scaledByPart(scale, kernel.size(1) * area);
    }
    float[] all = new float[Math.toIntExact(kernel.size(0) * kernel.size(1))];
    for (int i = 0; i < all.length; i++) {
      all[i] = scale[i % scale.length];
    }
    return kernel.scaledByPart(all, area);
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return TensorTypes.of(tensor, type);
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {}
}
