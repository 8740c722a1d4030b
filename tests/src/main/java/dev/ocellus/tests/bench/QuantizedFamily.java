package dev.ocellus.tests.bench;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.QuantizePlan;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import dev.ocellus.tests.synthetic.WidenedModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.embedding.Vectors;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.generate.ScoredConversation;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.imagetext.ImageCaptioner;
import dev.ocellus.vlm.imagetext.ImageTextMatcher;
import dev.ocellus.vlm.imagetext.ImageTextModel;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.imagetext.VisualQuestionAnswerer;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A family that sees, with random weights of rows of 256 and more, and what becomes of its outputs
 * when it is quantized.
 */
public final class QuantizedFamily {
  private static final List<String> TEXTS =
      List.of("a photo of a cat", "two dogs on a beach", "it's a red bicycle", "the sea");

  private static final int[] ANSWER = {5, 17, 9, 30, 12, 41, 8, 25};

  private static final ContextOptions EXACT =
      ContextOptions.defaults()
          .withContext(256)
          .withThreads(1, 1)
          .withCache(TensorType.F32, TensorType.F32)
          .withFlashAttention(ContextOptions.FlashAttention.OFF);

  private enum Kind {
    DUAL,
    CAPTION,
    ANSWER,
    MATCH,
    CHAT
  }

  /**
   * How a file of a tiny model is made wider.
   *
   * @param sizes what becomes of its sizes
   * @param keys numbers that are set, such as those of heads
   * @param beginning of the names of tensors that are widened
   */
  private record Widening(Map<Long, Long> sizes, Map<String, Integer> keys, String beginning) {
    static Widening of(Map<Long, Long> sizes, String... heads) {
      Map<String, Integer> keys = new HashMap<>();
      for (String key : heads) {
        keys.put(key, 4);
      }
      return new Widening(sizes, keys, "");
    }

    Widening with(String key, int value) {
      Map<String, Integer> more = new HashMap<>(keys);
      more.put(key, value);
      return new Widening(sizes, more, beginning);
    }

    /** Of tensors with such names alone; their keys are given one by one. */
    Widening only(String names) {
      return new Widening(sizes, keys, names);
    }

    void write(Path tiny, Path wide) throws IOException {
      WidenedModel.write(tiny, wide, sizes, keys, beginning);
    }
  }

  private static final String TEXT_HEADS = "clip.text.attention.head_count";
  private static final String VISION_HEADS = "clip.vision.attention.head_count";
  private static final String Q_FORMER_HEADS = "clip.qformer.attention.head_count";

  private static final Widening IMAGE_HALF =
      Widening.of(
          Map.of(32L, 256L, 48L, 256L, 80L, 512L, 56L, 512L, 40L, 256L),
          VISION_HEADS,
          Q_FORMER_HEADS);

  private static final Widening BLIP =
      Widening.of(Map.of(32L, 256L, 48L, 256L, 40L, 512L), TEXT_HEADS, VISION_HEADS);

  /** Three heads of 256. */
  private static final Widening T5 =
      Widening.of(Map.of(40L, 256L, 36L, 768L, 56L, 512L))
          .with("t5.attention.key_length", 256)
          .with("t5.attention.value_length", 256);

  /** Each of eight channels, whose last map has 256; the text tower's sizes are others. */
  private static final List<Widening> RESIDUAL =
      List.of(
          Widening.of(
                  Map.of(
                      3L, 4L, 6L, 8L, 12L, 16L, 24L, 32L, 48L, 64L, 96L, 128L, 192L, 256L, 32L,
                      256L, 10L, 5L),
                  VISION_HEADS)
              .with("clip.vision.width", 8)
              .with("clip.vision.image_size", 64) // of 96, and so 4 positions and their mean
              .with("clip.vision.projection_dim", 256)
              .with("clip.text.projection_dim", 256)
              .only("v."),
          Widening.of(Map.of(48L, 256L, 192L, 512L, 32L, 256L), TEXT_HEADS)
              .with("clip.text.embedding_length", 256)
              .with("clip.text.feed_forward_length", 512)
              .only("t"));

  private static final Widening VICUNA =
      Widening.of(
              Map.of(40L, 256L, 64L, 512L),
              "llama.attention.head_count",
              "llama.attention.head_count_kv")
          .with("llama.attention.key_length", 64)
          .with("llama.attention.value_length", 64)
          .with("llama.rope.dimension_count", 64);

  /** Two heads of 128, as the resampler's always are; the feed-forward's key counts both halves. */
  private static final Widening QWEN =
      Widening.of(Map.of(128L, 256L, 72L, 512L, 384L, 768L))
          .with("qwen.feed_forward_length", 1024)
          .with("qwen.rope.dimension_count", 128);

  private static final Widening BIG_G =
      Widening.of(Map.of(24L, 256L, 55L, 512L, 128L, 256L), VISION_HEADS);

  private static final Map<String, QuantizedFamily> ALL = new LinkedHashMap<>();

  static {
    add(
        Kind.DUAL,
        "clip-openclip",
        Widening.of(
            Map.of(64L, 256L, 128L, 512L, 80L, 256L, 160L, 512L, 48L, 256L),
            TEXT_HEADS,
            VISION_HEADS),
        null);
    add(
        Kind.DUAL,
        "siglip",
        Widening.of(Map.of(64L, 256L, 128L, 512L, 160L, 768L), TEXT_HEADS, VISION_HEADS),
        null);
    add(
        Kind.DUAL,
        "siglip2",
        Widening.of(Map.of(64L, 256L, 96L, 512L, 112L, 512L), TEXT_HEADS, VISION_HEADS),
        null);
    add(Kind.CAPTION, "blip-caption", BLIP, null);
    add(Kind.ANSWER, "blip-vqa", BLIP, null);
    add(Kind.MATCH, "blip-itm", BLIP, null);
    add(
        Kind.CHAT,
        "blip2-opt",
        Widening.of(Map.of(40L, 256L, 72L, 512L), "opt.attention.head_count"),
        IMAGE_HALF);
    add(Kind.CHAT, "blip2-t5", T5, IMAGE_HALF);
    add(Kind.CHAT, "instructblip-t5", T5, IMAGE_HALF);
    add(Kind.CHAT, "instructblip-vicuna", VICUNA, IMAGE_HALF);
    add(Kind.CHAT, "qwen-vl", QWEN, BIG_G);
    ALL.put("clip-rn50", new QuantizedFamily(Kind.DUAL, "clip-rn50", RESIDUAL, null));
  }

  private static void add(Kind kind, String model, Widening text, @Nullable Widening mmproj) {
    ALL.put(model, new QuantizedFamily(kind, model, List.of(text), mmproj));
  }

  private final Kind kind;
  private final String model;
  private final List<Widening> text;
  private final @Nullable Widening mmproj;

  private QuantizedFamily(Kind kind, String model, List<Widening> text, @Nullable Widening mmproj) {
    this.kind = kind;
    this.model = model;
    this.text = text;
    this.mmproj = mmproj;
  }

  /** All of them, by the name of the tiny model that they are made of. */
  public static List<QuantizedFamily> all() {
    return List.copyOf(ALL.values());
  }

  public String name() {
    return model;
  }

  /**
   * The files of a family: of text, or all; and of the image encoder, where that is one of its own.
   */
  public record ModelFiles(Path text, @Nullable Path mmproj) {}

  /**
   * Makes the wide model in F32.
   *
   * @param models the golden data's models
   */
  public ModelFiles make(Path models, Path directory) throws IOException {
    Path tiny = directory.resolve(model + "-tiny.gguf");
    Converter.convert(
        models.resolve(model).resolve("hf"),
        ConvertOptions.defaults().withOutput(tiny, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    Path wide = tiny;
    for (int i = 0; i < text.size(); i++) {
      Path next = directory.resolve(model + (i == text.size() - 1 ? "" : "-" + i) + ".gguf");
      text.get(i).write(wide, next);
      wide = next;
    }
    if (mmproj == null) {
      return new ModelFiles(wide, null);
    }
    Path encoder = directory.resolve("mmproj-" + model + ".gguf");
    mmproj.write(directory.resolve("mmproj-" + model + "-tiny.gguf"), encoder);
    return new ModelFiles(wide, encoder);
  }

  /** The same files in a recipe, with an importance of 1 for every column. */
  public ModelFiles quantize(ModelFiles files, Recipe recipe, Path directory) throws IOException {
    Path encoder = files.mmproj;
    return new ModelFiles(
        quantize(files.text, recipe, directory.resolve(model + "-" + recipe + ".gguf")),
        encoder == null
            ? null
            : quantize(
                encoder, recipe, directory.resolve("mmproj-" + model + "-" + recipe + ".gguf")));
  }

  private static Path quantize(Path file, Recipe recipe, Path out) throws IOException {
    try (GgufFile source = GgufFile.open(file)) {
      Map<String, ImportanceMatrix.Entry> entries = new HashMap<>();
      for (GgufTensor tensor : source.tensors()) {
        float[] ones = new float[Math.toIntExact(tensor.dim(0) * tensor.dim(2))];
        Arrays.fill(ones, 1);
        long[] counts = new long[Math.toIntExact(tensor.dim(2))];
        Arrays.fill(counts, 1);
        entries.put(tensor.name(), new ImportanceMatrix.Entry(ones, counts));
      }
      var importance = new ImportanceMatrix(entries, List.of(), 1, 1).importance("ones");
      QuantizeOptions options =
          QuantizeOptions.builder(recipe).importance(importance).threads(2).build();
      QuantizePlan plan = Quantizer.plan(source, options);
      Quantizer.run(source, plan, out, (i, n, tensor) -> {}, new CancellationFlag());
      return out;
    }
  }

  /**
   * What comes out.
   *
   * @param images vectors, states or embeddings of images
   * @param texts vectors of texts, or logits
   */
  public record Outputs(List<float[]> images, List<float[]> texts) {
    /** Mean cosine of the images' with others. */
    public double imageCosine(Outputs other) {
      return cosine(images, other.images);
    }

    /** Mean cosine of the texts' with others. */
    public double textCosine(Outputs other) {
      return cosine(texts, other.texts);
    }

    private static double cosine(List<float[]> a, List<float[]> b) {
      double sum = 0;
      for (int i = 0; i < a.size(); i++) {
        sum += Vectors.dot(Vectors.normalized(a.get(i)), Vectors.normalized(b.get(i)));
      }
      return sum / a.size();
    }
  }

  private static List<RgbImage> images() {
    List<RgbImage> images = new ArrayList<>();
    for (int seed = 0; seed < 4; seed++) {
      byte[] rgb = new byte[64 * 48 * 3];
      var random = new SplittableRandom(seed);
      random.nextBytes(rgb);
      images.add(RgbImage.of(64, 48, rgb));
    }
    return images;
  }

  /** Computes images and texts, on one thread. */
  public Outputs outputs(ModelFiles files) throws IOException {
    return switch (kind) {
      case DUAL -> {
        try (DualEncoder encoder = DualEncoder.open(files.text, EmbeddingOptions.cpu(1))) {
          yield new Outputs(encoder.imageFeatures(images()), encoder.textFeatures(TEXTS));
        }
      }
      case CAPTION -> {
        try (var model = ImageCaptioner.open(files.text, ImageTextOptions.cpu(1))) {
          yield new Outputs(states(model), List.of(model.logits(images().getFirst(), ANSWER)));
        }
      }
      case ANSWER -> {
        try (var model = VisualQuestionAnswerer.open(files.text, ImageTextOptions.cpu(1))) {
          yield new Outputs(
              states(model), List.of(model.logits(images().getFirst(), "what is it?", ANSWER)));
        }
      }
      case MATCH -> {
        try (var model = ImageTextMatcher.open(files.text, ImageTextOptions.cpu(1))) {
          List<float[]> scores = new ArrayList<>();
          model
              .match(images().getFirst(), TEXTS)
              .forEach(m -> scores.add(new float[] {m.noMatchLogit(), m.matchLogit()}));
          yield new Outputs(states(model), scores);
        }
      }
      case CHAT -> chat(files);
    };
  }

  private static List<float[]> states(ImageTextModel model) {
    List<float[]> states = new ArrayList<>();
    for (RgbImage image : images()) {
      states.add(model.stages(image, List.of("vision.last_hidden")).get("vision.last_hidden"));
    }
    return states;
  }

  private static Outputs chat(ModelFiles files) throws IOException {
    Path encoderFile = files.mmproj;
    if (encoderFile == null) {
      throw new IllegalArgumentException("no image encoder");
    }
    List<float[]> embeddings = new ArrayList<>();
    List<float[]> logits = new ArrayList<>();
    try (VisionEncoder encoder = VisionEncoder.open(encoderFile, 1, false)) {
      for (RgbImage image : images()) {
        var input =
            encoder
                .prepare(image, ImageOptions.DEFAULT)
                .withInstruction(encoder.architecture().instruction("what is it?"));
        embeddings.add(encoder.encode(input).values());
      }
    }
    LoadOptions options = LoadOptions.of(files.text, encoderFile).withContextOptions(EXACT);
    try (var vlm = VisionLanguageModel.open(options);
        var conversation = new ScoredConversation(vlm.pipeline(), null)) {
      conversation.repeat(
          List.of(Message.user("what is it?", images().getFirst())),
          ANSWER,
          (index, token, row) -> logits.add(row.clone()),
          new CancellationFlag());
    }
    return new Outputs(embeddings, logits);
  }

  /** Bytes of all files. */
  public static long bytes(ModelFiles files) throws IOException {
    Path encoder = files.mmproj;
    return Files.size(files.text) + (encoder == null ? 0 : Files.size(encoder));
  }
}
