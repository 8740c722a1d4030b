package dev.ocellus.cli.options;

import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.HubMixin;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.convert.cache.CheckpointCache;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.imagetext.ImageTextOptions;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model, and how it is loaded: llama.cpp's options. */
public final class ModelMixin {
  /** More than any image of ours has pixels for. */
  private static final int MAX_IMAGE_TOKENS = 1 << 20;

  /** Least tokens of a chunk of text. */
  private static final int MIN_CHUNK = 4;

  private static final int DEFAULT_CHUNK = 512;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE|NAME",
      converter = ModelPathConverter.class,
      description =
          "Text model (GGUF), the folder of a HuggingFace checkpoint, or a name: hf://REPO[:TYPE],"
              + " ollama:NAME. Without it, the embedded demo model answers.")
  @Nullable Path model;

  @Option(
      names = {"-mm", "--mmproj"},
      paramLabel = "FILE",
      converter = ModelPathConverter.class,
      description = "Image encoder and projector of the model (GGUF).")
  @Nullable Path mmproj;

  @Mixin HubMixin named = new HubMixin();

  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      description = "Context size in tokens; 0 for what the model was trained with. Default: 4096.")
  @Range(min = 0, max = ContextOptions.MAX_CONTEXT)
  @Nullable Integer context;

  @Option(
      names = {"-b", "--batch-size"},
      paramLabel = "N",
      description = "Max. tokens of one batch, that is, of one call of libllama. Default: 2048.")
  @Range(min = 1, max = ContextOptions.MAX_BATCH)
  @Nullable Integer batch;

  @Option(
      names = {"-ub", "--ubatch-size"},
      paramLabel = "N",
      description =
          "Max. tokens of a micro-batch, computed at once. Default: 512, or those of the largest image where the model must compute it at once.")
  @Range(min = 1, max = ContextOptions.MAX_BATCH)
  @Nullable Integer ubatch;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads for generation. Default: the physical cores.")
  @Range(min = 1, max = Range.MAX_THREADS)
  @Nullable Integer threads;

  @Option(
      names = {"-tb", "--threads-batch"},
      paramLabel = "N",
      description = "Threads for the prompt and for images. Default: as -t.")
  @Range(min = 1, max = Range.MAX_THREADS)
  @Nullable Integer threadsBatch;

  @Option(
      names = {"-ngl", "--gpu-layers", "--n-gpu-layers"},
      paramLabel = "N",
      description =
          "Layers on the GPU: a number, all, or auto (all where there is a GPU; also -1). Default: auto.")
  @Nullable String gpuLayers;

  @Option(
      names = {"-ctk", "--cache-type-k"},
      paramLabel = "TYPE",
      completionCandidates = TypeNames.OfCache.class,
      description = "Type of the keys in the KV cache: f32, f16, bf16, q8_0, q4_0 … Default: f16.")
  @Nullable String cacheTypeK;

  @Option(
      names = {"-ctv", "--cache-type-v"},
      paramLabel = "TYPE",
      completionCandidates = TypeNames.OfCache.class,
      description = "Type of the values in the KV cache. Default: f16.")
  @Nullable String cacheTypeV;

  @Option(
      names = {"-fa", "--flash-attn"},
      paramLabel = "on|off|auto",
      description = "Flash attention. Default: auto.")
  @Nullable String flashAttention;

  @Option(
      names = "--no-mmap",
      description = "Read the model into memory instead of mapping it, on Linux in large pages.")
  boolean noMmap;

  @Option(
      names = {"-nr", "--no-repack"},
      description = "Leave weights in the layout of the file.")
  boolean noRepack;

  @Option(
      names = "--allow-unchecked",
      description =
          "Also run text models of architectures that were not checked: a damaged file of one can"
              + " end the process.")
  boolean allowUnchecked;

  @Option(
      names = "--image-min-tokens",
      paramLabel = "N",
      description =
          "Min. tokens of an image, for models that resize images to a number of their choice."
              + " Default: 0, the model's.")
  @Range(min = 0, max = MAX_IMAGE_TOKENS)
  int imageMinTokens;

  @Option(
      names = "--image-max-tokens",
      paramLabel = "N",
      description = "Max. tokens of an image, for the same models. Default: 0, the model's.")
  @Range(min = 0, max = MAX_IMAGE_TOKENS)
  int imageMaxTokens;

  @Option(
      names = "--pan-and-scan",
      description =
          "For Gemma 3: also encode crops of long images: finer detail for up to five"
              + " times the tokens.")
  boolean panAndScan;

  @Option(
      names = "--vision-precision",
      paramLabel = "exact|stored|bf16|q8_0|fast",
      converter = MatrixPrecisionConverter.class,
      description =
          "How the image encoder multiplies with its weights on a CPU: in F32 (exact), in the type"
              + " that they are stored in, as llama.cpp does (stored), in BF16 or Q8_0, or in"
              + " whichever of these two suits the processor (fast). Default: exact.")
  MatrixPrecision visionPrecision = MatrixPrecision.EXACT;

  @Mixin AcceleratorMixin acceleration = new AcceleratorMixin();

  @Option(
      names = "--chat-template",
      paramLabel = "TEXT|@FILE",
      description = "Chat template to use instead of the model's.")
  @Nullable String chatTemplate;

  @Option(
      names = "--chat-template-file",
      paramLabel = "FILE",
      description = "The same, from a file.")
  @Nullable String chatTemplateFile;

  /** The text model; null for the demo model. */
  public @Nullable Path model() {
    return model;
  }

  /** The image encoder; null if none is named. */
  public @Nullable Path mmproj() {
    return mmproj;
  }

  /** Whether a context size is given. */
  public boolean hasContextSize() {
    return context != null;
  }

  /** Tokens of the chunks that a text is cut into, where the context is one of them. */
  public int chunkSize(OcellusCommand command) {
    int size = context == null ? DEFAULT_CHUNK : context;
    if (size < MIN_CHUNK) {
      throw command.usage(
          "-c: expected at least %d tokens for a chunk, found %d".formatted(MIN_CHUNK, size));
    }
    return size;
  }

  public MatrixPrecision visionPrecision() {
    return visionPrecision;
  }

  public Accelerator accelerator() {
    return acceleration.accelerator();
  }

  /** What the options ask for; the demo model when no model is named. */
  public LoadOptions loadOptions(OcellusCommand command) throws IOException {
    ModelOptions modelOptions = command.checked(this::modelOptions);
    LoadOptions files;
    if (model != null) {
      CheckpointCache.Converted pair = Checkpoints.resolve(command, model, mmproj);
      files =
          new LoadOptions(
              pair.text(),
              pair.mmproj(),
              modelOptions,
              command.checked(() -> contextOptions()),
              chatTemplate(command.io()));
    } else if (mmproj != null) {
      throw command.usage("--mmproj is given without the text model that it belongs to (-m)");
    } else {
      LoadOptions demo = DemoModel.files();
      files =
          demo.withModelOptions(modelOptions)
              .withContextOptions(command.checked(() -> contextOptions(demo.contextOptions())))
              .withChatTemplate(chatTemplate(command.io()));
      command.note(
          "no model given (-m): the embedded demo model %s answers; it knows only drawn shapes, numbers and words"
              .formatted(DemoModel.NAME));
    }
    return files
        .withImageOptions(command.checked(this::imageOptions))
        .withVisionPrecision(visionPrecision);
  }

  public ImageOptions imageOptions() {
    return new ImageOptions(imageMinTokens, imageMaxTokens, panAndScan);
  }

  public ModelOptions modelOptions() {
    ModelOptions defaults = ModelOptions.defaults();
    return new ModelOptions(
        nGpuLayers().orElse(defaults.nGpuLayers()),
        !noMmap,
        !noRepack,
        acceleration.accelerator(),
        allowUnchecked,
        defaults.progress());
  }

  /** Says so where limits of tokens change nothing. */
  public void noteLimits(OcellusCommand command, Optional<VisionEncoder> encoder) {
    if (imageMinTokens > 0 || imageMaxTokens > 0) {
      encoder
          .map(VisionEncoder::architecture)
          .filter(family -> !family.preprocessor().hasTokenLimits())
          .ifPresent(family ->
              command.note(
                  "models of the family %s have their own number of tokens of an image; --image-min-tokens and --image-max-tokens change nothing"
                      .formatted(family.name())));
    }
  }

  /** Opens an image encoder alone. */
  public VisionEncoder openEncoder(OcellusCommand command, Path file) throws IOException {
    return VisionEncoder.open(
        file,
        command.checked(this::contextOptions).nThreadsBatch(),
        command.checked(this::modelOptions).nGpuLayers() != 0,
        visionPrecision,
        acceleration.accelerator());
  }

  /** How a model of one file computes. */
  public ImageTextOptions imageTextOptions(OcellusCommand command) {
    return new ImageTextOptions(
        command.checked(this::contextOptions).nThreadsBatch(),
        command.checked(this::modelOptions).nGpuLayers() != 0,
        visionPrecision,
        acceleration.accelerator());
  }

  private Optional<Integer> nGpuLayers() {
    String wanted = gpuLayers;
    if (wanted == null) {
      return Optional.empty();
    }
    if (wanted.equals("all") || wanted.equals("auto")) {
      return Optional.of(-1);
    }
    try {
      int n = Integer.parseInt(wanted);
      if (n >= -1) {
        return Optional.of(n);
      }
    } catch (NumberFormatException e) {
      throw wrongLayers(wanted, e);
    }
    throw wrongLayers(wanted, null);
  }

  private static IllegalArgumentException wrongLayers(
      String wanted, @Nullable NumberFormatException cause) {
    return new IllegalArgumentException(
        "GPU layers (-ngl): expected a number, all or auto, found '%s'".formatted(wanted), cause);
  }

  public ContextOptions contextOptions() {
    return contextOptions(ContextOptions.defaults());
  }

  /** The options of {@code d}, and what was given for them. */
  private ContextOptions contextOptions(ContextOptions d) {
    int generating = threads != null ? threads : d.nThreads();
    return d.withContext(context != null ? context : d.nCtx())
        .withBatch(batch != null ? batch : d.nBatch(), ubatch != null ? ubatch : d.nUbatch())
        .withThreads(generating, threadsBatch != null ? threadsBatch : generating)
        .withCache(
            cacheType("-ctk", cacheTypeK, d.typeK()), cacheType("-ctv", cacheTypeV, d.typeV()))
        .withFlashAttention(flashAttention(d.flashAttention()));
  }

  private static TensorType cacheType(
      String option, @Nullable String name, TensorType defaultValue) {
    if (name == null) {
      return defaultValue;
    }
    return Arrays.stream(TensorType.values())
        .filter(type -> type.ggmlName().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(
                "%s: expected a type such as f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0 or iq4_nl, found '%s'"
                    .formatted(option, name)));
  }

  private FlashAttention flashAttention(FlashAttention defaultValue) {
    if (flashAttention == null) {
      return defaultValue;
    }
    return switch (flashAttention.toLowerCase(Locale.ROOT)) {
      case "on", "1", "true" -> FlashAttention.ON;
      case "off", "0", "false" -> FlashAttention.OFF;
      case "auto", "-1" -> FlashAttention.AUTO;
      default ->
          throw new IllegalArgumentException(
              "flash attention (-fa): expected on, off or auto, found '%s'"
                  .formatted(flashAttention));
    };
  }

  private @Nullable String chatTemplate(Io io) throws IOException {
    if (chatTemplateFile != null) {
      return TextInput.read(io, chatTemplateFile);
    }
    if (chatTemplate != null && chatTemplate.startsWith("@")) {
      return TextInput.read(io, chatTemplate.substring(1));
    }
    return chatTemplate;
  }
}
