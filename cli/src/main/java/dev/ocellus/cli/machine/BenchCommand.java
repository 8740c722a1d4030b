package dev.ocellus.cli.machine;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.eval.Measurement;
import dev.ocellus.eval.OneFileModel;
import dev.ocellus.ggml.Device;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.nativelib.NativeLibraries;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
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
public final class BenchCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Measures prompt, generation and image speed.";

  @Option(
      names = {"-p", "--n-prompt"},
      paramLabel = "N",
      description = "Tokens of the prompt; 0 to leave it out. Default: 512.")
  @Range(min = 0, max = ContextOptions.MAX_CONTEXT)
  int nPrompt = 512;

  @Option(
      names = {"-n", "--n-gen"},
      paramLabel = "N",
      description = "Tokens to generate; 0 to leave it out. Default: 128.")
  @Range(min = 0, max = ContextOptions.MAX_CONTEXT)
  int nGenerate = 128;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      description = "Runs of each test. Default: 5.")
  @Range(min = 1)
  int repetitions = 5;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "Image to encode. Default: a generated one of 640 × 480.")
  @Nullable ImageSource image;

  @Mixin ModelMixin model = new ModelMixin();

  public BenchCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    ContextOptions context = checked(model::contextOptions);
    ModelOptions modelOptions = checked(model::modelOptions);
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      BenchRun bench = measured(context, modelOptions, progress, interrupt);
      print(bench, options(context, modelOptions));
    }
    return ExitCode.OK;
  }

  private BenchRun measured(
      ContextOptions context, ModelOptions modelOptions, Progress progress, Interrupt interrupt)
      throws IOException {
    try {
      var bench = new BenchRun(this, context, modelOptions, progress, interrupt);
      measure(bench);
      return bench;
    } catch (ComputationCancelledException e) {
      interrupt.check();
      throw e;
    }
  }

  private void measure(BenchRun bench) throws IOException {
    Path text = model.model();
    Path mmproj = model.mmproj();
    if (text == null && mmproj == null) {
      LoadOptions demo = model.loadOptions(this);
      text = demo.model();
      mmproj = demo.mmproj();
    }
    if (mmproj != null) {
      bench.images(mmproj);
    }
    if (text != null && OneFileModel.isOne(text)) {
      bench.oneFile(text);
    } else if (text != null) {
      bench.texts(text);
    }
  }

  private void print(BenchRun bench, ObjectNode options) {
    if (printsJson()) {
      ObjectNode json = bench.models();
      json.set("options", options);
      ArrayNode results = json.putArray("results");
      bench.results().forEach(result -> results.add(result.json()));
      ArrayNode limits = json.putArray("limits");
      bench.shares().forEach(share -> limits.add(share.json()));
      printJson(json);
    } else {
      Measurement.table(bench.results()).forEach(io().out()::println);
      if (!bench.shares().isEmpty()) {
        io().out().println();
      }
      bench.shares().forEach(share -> io().out().println(share.line()));
    }
  }

  private static ObjectNode options(ContextOptions context, ModelOptions model) {
    ObjectNode json = Json.object();
    json.put("threads", context.nThreads());
    json.put("threads_batch", context.nThreadsBatch());
    json.put("batch", context.nBatch());
    json.put("ubatch", context.microBatch());
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
