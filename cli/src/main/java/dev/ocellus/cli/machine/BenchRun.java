package dev.ocellus.cli.machine;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.eval.MachineLimits;
import dev.ocellus.eval.Measurement;
import dev.ocellus.eval.ModelBenchmark;
import dev.ocellus.eval.OneFileModel;
import dev.ocellus.eval.ProductCount;
import dev.ocellus.eval.TextWork;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
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

/** What {@link BenchCommand} measures, and what came out of it. */
final class BenchRun {
  private final BenchCommand command;
  private final ContextOptions context;
  private final ModelOptions modelOptions;
  private final Progress progress;
  private final Interrupt interrupt;
  private final ObjectNode models = Json.object();
  private final List<Measurement> results = new ArrayList<>();
  private final List<MachineLimits.Share> shares = new ArrayList<>();
  private final MachineLimits limits;

  /** Measures the machine first. */
  BenchRun(
      BenchCommand command,
      ContextOptions context,
      ModelOptions modelOptions,
      Progress progress,
      Interrupt interrupt) {
    this.command = command;
    this.context = context;
    this.modelOptions = modelOptions;
    this.progress = progress;
    this.interrupt = interrupt;
    progress.start("measuring the machine");
    limits = MachineLimits.measure(context.nThreadsBatch(), command.model.accelerator());
  }

  /** What was measured with, by kind of model. */
  ObjectNode models() {
    return models;
  }

  List<Measurement> results() {
    return results;
  }

  /** How much of what the machine can do each test had, at its best. */
  List<MachineLimits.Share> shares() {
    return shares;
  }

  private RgbImage image() throws IOException {
    ImageSource image = command.image;
    return image == null ? ModelBenchmark.testImage() : image.read(command.io()).image();
  }

  /** Every test has a flag of its own: closing a context sets it. */
  private ModelBenchmark benchmark() {
    return new ModelBenchmark(
        command.repetitions,
        progress::report,
        () -> {
          var flag = new CancellationFlag();
          interrupt.onInterrupt(flag::cancel);
          return flag;
        });
  }

  /** Preprocessing and encoding of an image. */
  void images(Path mmproj) throws IOException {
    RgbImage source = image();
    ImageOptions imageOptions = command.checked(command.model::imageOptions);
    progress.start("loading " + command.nameOf(mmproj));
    try (var encoder = command.model.openEncoder(command, mmproj)) {
      ImageInput input = encoder.prepare(source, imageOptions);
      ModelBenchmark benchmark = benchmark();
      results.add(
          benchmark.imagePreprocess(input.nTokens(), () -> encoder.prepare(source, imageOptions)));
      results.add(benchmark.imageEncode(encoder, input));
      ProductCount count = new ProductCount();
      encoder.observe(count);
      encoder.encode(input);
      shares.add(limits.ofProducts(results.getLast(), count.operations()));
      models
          .putObject("mmproj")
          .put("path", command.given(mmproj).toString())
          .put("architecture", encoder.architecture().name())
          .put("device", encoder.device().name())
          .put("image_width", source.width())
          .put("image_height", source.height())
          .put("tiles", input.nTiles())
          .put("tokens", input.nTokens());
    }
  }

  /** A prompt and an answer of a text model. */
  void texts(Path text) throws IOException {
    progress.start("loading " + command.nameOf(text));
    List<Measurement> measured = texts(text, models.putObject("model"));
    results.addAll(measured);
    TextWork work = TextWork.of(text);
    for (Measurement result : measured) {
      if (result.test().startsWith("pp")) {
        shares.add(limits.ofProducts(result, work.operationsPerToken() * result.tokens()));
      } else if (result.test().startsWith("tg")) {
        shares.add(limits.ofReading(result, work.bytesPerToken() * result.tokens()));
      }
    }
  }

  private List<Measurement> texts(Path text, ObjectNode json) throws IOException {
    ModelBenchmark benchmark = benchmark();
    json.put("path", command.given(text).toString());
    if (isGraph(text)) {
      LoadOptions options = new LoadOptions(text, null, modelOptions, context, null);
      try (VisionLanguageModel loaded = VisionLanguageModel.open(options)) {
        TextDecoder decoder = loaded.pipeline().decoder();
        json.put("description", decoder.description());
        return benchmark.textModel(decoder, context, command.nPrompt, command.nGenerate);
      }
    }
    try (LlamaModel loaded = LlamaModel.load(text, modelOptions)) {
      json.put("description", loaded.description())
          .put("parameters", loaded.nParams())
          .put("bytes", loaded.byteSize());
      return benchmark.textModel(loaded, context, command.nPrompt, command.nGenerate);
    }
  }

  /** Whether a graph of ours computes it instead of libllama. */
  private static boolean isGraph(Path text) throws IOException {
    try (GgufFile file = GgufFile.open(text)) {
      return ModelRegistry.isTextGraph(file);
    }
  }

  /** Images and texts of a dual encoder or a model such as BLIP. */
  void oneFile(Path file) throws IOException {
    RgbImage source = image();
    progress.start("loading " + command.nameOf(file));
    try (OneFileModel loaded = OneFileModel.open(file, command.model.imageTextOptions(command))) {
      results.addAll(benchmark().oneFile(loaded, source, command.nGenerate));
      models
          .putObject("model")
          .put("path", command.given(file).toString())
          .put("image_width", source.width())
          .put("image_height", source.height());
    }
  }
}
