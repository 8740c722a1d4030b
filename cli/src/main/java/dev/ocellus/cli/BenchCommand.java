package dev.ocellus.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.eval.MachineLimits;
import dev.ocellus.eval.Measurement;
import dev.ocellus.eval.ModelBenchmark;
import dev.ocellus.eval.OneFileModel;
import dev.ocellus.eval.ProductCount;
import dev.ocellus.eval.TextWork;
import dev.ocellus.ggml.Device;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.nativelib.NativeLibraries;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Speed of prompts, answers and images. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = BenchCommand.HEADER,
    description = {
      "As llama-bench does: pp N computes a prompt of N random tokens in an empty context, tg N generates N random tokens one by one without sampling. With an image encoder, also preprocessing and encoding of an image. The lines below the table compare each test at its best with what the machine did just before: large products in F32, which bound prompts and images, and reading of memory, which bounds single tokens. With BF16 an encoder can exceed the former.",
      "Of a dual encoder (CLIP) or a model such as BLIP: preprocessing and encoding of an image, and the longest text, a match, or tg N tokens of a caption or an answer.",
      "Every test is run once to warm up. --mmproj without -m measures images only."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus bench -m model.gguf --mmproj mmproj.gguf -t 8",
      "  ocellus bench -m model.gguf -p 512 -n 128 -r 5 --json",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
final class BenchCommand extends OcellusCommand {
  /** What it does, in one line. */
  static final String HEADER = "Measures prompt, generation and image speed.";

  @Option(
      names = {"-p", "--n-prompt"},
      paramLabel = "N",
      description = "Tokens of the prompt; 0 to leave it out. Default: 512.")
  int nPrompt = 512;

  @Option(
      names = {"-n", "--n-gen"},
      paramLabel = "N",
      description = "Tokens to generate; 0 to leave it out. Default: 128.")
  int nGenerate = 128;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      description = "Runs of each test. Default: 5.")
  int repetitions = 5;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "Image to encode. Default: a generated one of 640 × 480.")
  @Nullable ImageSource image;

  /** Of one encoding of the image. */
  private double imageOperations;

  @Mixin ModelMixin model = new ModelMixin();

  BenchCommand(Io io) {
    super(io);
  }

  @Override
  int run() throws IOException {
    if (nPrompt < 0 || nGenerate < 0 || repetitions < 1) {
      throw usage("expected -p and -n of 0 or more, and -r of 1 or more");
    }
    ContextOptions context = checked(model::contextOptions);
    ModelOptions modelOptions = checked(model::modelOptions);
    Path text = model.model;
    Path mmproj = model.mmproj;
    if (text == null && mmproj == null) {
      LoadOptions demo = model.loadOptions(this);
      text = demo.model();
      mmproj = demo.mmproj();
    }
    List<Measurement> results = new ArrayList<>();
    List<MachineLimits.Share> shares = new ArrayList<>();
    ObjectNode json = Json.object();
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      try {
        progress.start("measuring the machine");
        MachineLimits limits =
            MachineLimits.measure(context.nThreadsBatch(), model.acceleration.accelerator);
        if (mmproj != null) {
          json.set("mmproj", images(mmproj, results, progress, interrupt));
          shares.add(limits.ofProducts(results.getLast(), imageOperations));
        }
        if (text != null && OneFileModel.isOne(text)) {
          json.set("model", oneFile(text, results, progress, interrupt));
        } else if (text != null) {
          json.set("model", texts(text, context, modelOptions, results, progress, interrupt));
          TextWork work = TextWork.of(text);
          for (Measurement result : results) {
            if (result.test().startsWith("pp")) {
              shares.add(limits.ofProducts(result, work.operationsPerToken() * result.tokens()));
            } else if (result.test().startsWith("tg")) {
              shares.add(limits.ofReading(result, work.bytesPerToken() * result.tokens()));
            }
          }
        }
      } catch (ComputationCancelledException e) {
        interrupt.check();
        throw e;
      }
    }
    if (output.json) {
      json.set("options", options(context, modelOptions));
      ArrayNode array = json.putArray("results");
      results.forEach(result -> array.add(result.json()));
      ArrayNode limits = json.putArray("limits");
      shares.forEach(share -> limits.add(share.json()));
      printJson(json);
    } else {
      Measurement.table(results).forEach(io().out()::println);
      if (!shares.isEmpty()) {
        io().out().println();
      }
      shares.forEach(share -> io().out().println(share.line()));
    }
    return ExitCode.OK;
  }

  /** Every test has a flag of its own: closing a context sets it. */
  private ModelBenchmark benchmark(Progress progress, Interrupt interrupt) {
    return new ModelBenchmark(
        repetitions,
        progress::report,
        () -> {
          var flag = new CancellationFlag();
          interrupt.onInterrupt(flag::cancel);
          return flag;
        });
  }

  private ObjectNode images(
      Path mmproj, List<Measurement> results, Progress progress, Interrupt interrupt)
      throws IOException {
    RgbImage source = image == null ? ModelBenchmark.testImage() : image.read(io()).image();
    ImageOptions imageOptions = checked(model::imageOptions);
    progress.start("loading " + mmproj.getFileName());
    try (var encoder = model.openEncoder(this, mmproj)) {
      ImageInput input = encoder.prepare(source, imageOptions);
      ModelBenchmark benchmark = benchmark(progress, interrupt);
      results.add(
          benchmark.imagePreprocess(input.nTokens(), () -> encoder.prepare(source, imageOptions)));
      results.add(benchmark.imageEncode(encoder, input));
      ProductCount count = new ProductCount();
      encoder.observe(count);
      encoder.encode(input);
      imageOperations = count.operations();
      return Json.object()
          .put("path", mmproj.toString())
          .put("architecture", encoder.architecture().name())
          .put("device", encoder.device().name())
          .put("image_width", source.width())
          .put("image_height", source.height())
          .put("tiles", input.nTiles())
          .put("tokens", input.nTokens());
    }
  }

  private ObjectNode texts(
      Path text,
      ContextOptions context,
      ModelOptions modelOptions,
      List<Measurement> results,
      Progress progress,
      Interrupt interrupt)
      throws IOException {
    progress.start("loading " + text.getFileName());
    ModelBenchmark benchmark = benchmark(progress, interrupt);
    ObjectNode json = Json.object().put("path", text.toString());
    if (isGraph(text)) {
      LoadOptions options = new LoadOptions(text, null, modelOptions, context, null);
      try (VisionLanguageModel loaded = VisionLanguageModel.open(options)) {
        TextDecoder decoder = loaded.pipeline().decoder();
        results.addAll(benchmark.textModel(decoder, context, nPrompt, nGenerate));
        return json.put("description", decoder.description());
      }
    }
    try (LlamaModel loaded = LlamaModel.load(text, modelOptions)) {
      results.addAll(benchmark.textModel(loaded, context, nPrompt, nGenerate));
      return json.put("description", loaded.description())
          .put("parameters", loaded.nParams())
          .put("bytes", loaded.byteSize());
    }
  }

  /** Whether a graph of ours computes it instead of libllama. */
  private static boolean isGraph(Path text) throws IOException {
    try (GgufFile file = GgufFile.open(text)) {
      return ModelRegistry.isTextGraph(file);
    }
  }

  private ObjectNode oneFile(
      Path file, List<Measurement> results, Progress progress, Interrupt interrupt)
      throws IOException {
    RgbImage source = image == null ? ModelBenchmark.testImage() : image.read(io()).image();
    progress.start("loading " + file.getFileName());
    try (OneFileModel loaded = OneFileModel.open(file, model.imageTextOptions(this))) {
      results.addAll(benchmark(progress, interrupt).oneFile(loaded, source, nGenerate));
      return Json.object()
          .put("path", file.toString())
          .put("image_width", source.width())
          .put("image_height", source.height());
    }
  }

  private static ObjectNode options(ContextOptions context, ModelOptions model) {
    ObjectNode json = Json.object();
    json.put("threads", context.nThreads());
    json.put("threads_batch", context.nThreadsBatch());
    json.put("batch", context.nBatch());
    json.put("ubatch", context.nUbatch());
    json.put("cache_type_k", context.typeK().ggmlName());
    json.put("cache_type_v", context.typeV().ggmlName());
    json.put("flash_attention", context.flashAttention().name().toLowerCase(Locale.ROOT));
    json.put("gpu_layers", model.nGpuLayers());
    json.put("memory_mapped", model.memoryMapped());
    json.put("repack", model.repack());
    ArrayNode devices = json.putArray("devices");
    Device.all().forEach(device -> devices.add(device.toString()));
    json.put("llama_cpp", NativeLibraries.info().version().llama());
    return json;
  }
}
