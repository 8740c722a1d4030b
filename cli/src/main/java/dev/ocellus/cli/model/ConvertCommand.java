package dev.ocellus.cli.model;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.TypeNames;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.ConvertReport;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** HuggingFace checkpoints to GGUF files. */
@Command(
    name = "convert",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ConvertCommand.HEADER,
    description =
        "Writes the text model and, where the checkpoint has one, the image encoder (mmproj); of a LoRA adapter, the adapter. Needs config.json, safetensors or PyTorch files and the tokenizer in DIR; nothing is downloaded.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus convert Qwen2.5-VL-3B-Instruct",
      "  ocellus convert SmolVLM-Instruct -o smolvlm.gguf --outtype q8_0 --mmproj-outtype f16",
      "  ocellus convert gemma-3-4b-it --mmproj --outdir models",
      "  ocellus convert Qwen2.5-VL-3B-Instruct --lora my-lora -o tuned.gguf",
      "  ocellus convert my-lora --base Llama-3.2-1B-Instruct -o lora.gguf",
      "",
      "Exit codes: 0 done, 1 the checkpoint cannot be converted, 2 wrong command line, 130 interrupted."
    })
public final class ConvertCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Converts a HuggingFace checkpoint to GGUF.";

  @Parameters(
      paramLabel = "DIR",
      converter = ModelPathConverter.class,
      description = "Folder of the checkpoint.")
  Path directory = Path.of("");

  @Option(
      names = {"-o", "--outfile"},
      paramLabel = "FILE",
      description =
          "The text model's file; the image encoder goes beside it as mmproj-FILE. Default: a name of the model's own.")
  @Nullable Path outfile;

  @Option(
      names = "--outdir",
      paramLabel = "DIR",
      description = "Where files without a name go. Default: the checkpoint's folder.")
  @Nullable Path outputDirectory;

  @Option(
      names = "--outtype",
      paramLabel = "TYPE",
      completionCandidates = TypeNames.OfConversion.class,
      description =
          "Type of matrices: f32, f16, bf16, q8_0, or auto (the checkpoint's own: bf16 or f16). Default: auto.")
  String outputType = "auto";

  @Option(
      names = "--mmproj-outtype",
      paramLabel = "TYPE",
      completionCandidates = TypeNames.OfConversion.class,
      description = "The same for the image encoder. Default: that of --outtype.")
  @Nullable String mmprojOutputType;

  @Option(names = "--mmproj", description = "Only the image encoder.")
  boolean mmprojOnly;

  @Option(names = "--no-mmproj", description = "Only the text model.")
  boolean noMmproj;

  @Option(
      names = "--model-name",
      paramLabel = "NAME",
      description = "Name of the model in the files. Default: the folder's.")
  @Nullable String modelName;

  @Option(
      names = "--pre",
      paramLabel = "NAME",
      description =
          "llama.cpp's name for the pre-tokenizer, where it is not recognised by itself (such as gpt-2, llama-bpe, qwen2).")
  @Nullable String preTokenizer;

  @Option(
      names = "--base",
      paramLabel = "DIR",
      description =
          "For an adapter (LoRA): the folder of its base model's configuration. Default: what the adapter names, if it is a folder.")
  @Nullable Path base;

  @Option(
      names = "--lora",
      paramLabel = "DIR",
      description =
          "Folder of a LoRA adapter in PEFT's layout that is merged into the model first, image encoder included; may be given again.")
  List<Path> adapters = new ArrayList<>();

  public ConvertCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    ConvertOptions options = options();
    if (outputDirectory != null) {
      Files.createDirectories(outputDirectory);
    }
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      ConvertProgress listener =
          (file, share) -> {
            progress.report("writing " + file.getFileName(), share);
            return !interrupt.happened();
          };
      ConvertReport report =
          Converter.isAdapter(directory)
              ? Converter.convertAdapter(directory, base, options, listener)
              : Converter.convert(directory, options, listener);
      progress.done();
      report.warnings().forEach(w -> note("warning: " + w));
      if (printsJson()) {
        printJson(json(report));
      } else {
        report.files().forEach(this::print);
      }
    }
    return ExitCode.OK;
  }

  private ConvertOptions options() {
    if (mmprojOnly && noMmproj) {
      throw usage("--mmproj and --no-mmproj exclude each other");
    }
    if (outfile != null && outputDirectory != null) {
      throw usage("--outfile and --outdir exclude each other");
    }
    OutputType type = checked(() -> OutputType.named(outputType));
    String other = mmprojOutputType;
    OutputType mmprojType = other == null ? type : checked(() -> OutputType.named(other));
    return ConvertOptions.defaults()
        .withParts(
            !mmprojOnly, mmprojOnly ? Encoders.YES : noMmproj ? Encoders.NO : Encoders.IF_THERE)
        .withOutput(outfile, outputDirectory)
        .withTypes(type, mmprojType)
        .withModelName(modelName)
        .withPreTokenizer(preTokenizer)
        .withAdapters(adapters);
  }

  private void print(ConvertReport.ConvertedFile file) {
    io().out()
        .printf(
            Locale.ROOT,
            "%s  %s (%s), %s, %.1f M parameters, %.1f MB%n",
            file.path(),
            file.kind(),
            file.architecture(),
            file.outputType().name(),
            file.parameters() / 1e6,
            file.bytes() / 1e6);
  }

  private static ObjectNode json(ConvertReport report) {
    ObjectNode root = Json.object();
    ArrayNode files = root.putArray("files");
    for (ConvertReport.ConvertedFile f : report.files()) {
      ObjectNode node =
          files
              .addObject()
              .put("path", f.path().toString())
              .put("kind", f.kind())
              .put("architecture", f.architecture())
              .put("type", f.outputType().name())
              .put("parameters", f.parameters())
              .put("bytes", f.bytes());
      ObjectNode types = node.putObject("tensor_types");
      new TreeMap<>(f.tensorTypes()).forEach((type, n) -> types.put(type.ggmlName(), n));
    }
    ArrayNode warnings = root.putArray("warnings");
    report.warnings().forEach(warnings::add);
    return root;
  }
}
