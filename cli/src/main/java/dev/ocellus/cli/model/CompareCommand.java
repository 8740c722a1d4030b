package dev.ocellus.cli.model;

import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.eval.ModelComparison;
import dev.ocellus.eval.NamedImage;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.quantize.measure.ComparisonReport;
import dev.ocellus.quantize.measure.ReportPage;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** How far a model is from another, such as a quantized one from its original. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = CompareCommand.HEADER,
    description = {
      "Of text models: predictions of a text (-f), and of the reference's answers to conversations with images (--messages, --mmproj).",
      "Of image encoders: embeddings and layers for images (--image). Of both: the weights."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus compare model-f16.gguf model-Q4_K_M.gguf -f text.txt --html report.html",
      "  ocellus compare model-f16.gguf model-Q4_K_M.gguf --mmproj mmproj.gguf --messages chats.json",
      "  ocellus compare mmproj-f16.gguf mmproj-Q8_0.gguf --image a.jpg --image b.jpg",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class CompareCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Compares a model with a reference.";

  @Parameters(
      index = "0",
      paramLabel = "REFERENCE",
      converter = ModelPathConverter.class,
      description = "GGUF file to compare with.")
  Path a = Path.of("");

  @Parameters(
      index = "1",
      paramLabel = "MODEL",
      converter = ModelPathConverter.class,
      description = "GGUF file to compare.")
  Path b = Path.of("");

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "Text to predict; - for standard input.")
  @Nullable String textFile;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Chunks of the text to compute at most. Default: -1, all.")
  @Range(min = 1, or = -1)
  int chunks = -1;

  @Option(
      names = "--messages",
      paramLabel = "FILE",
      description = "Conversations that the reference answers, and whose answers are compared.")
  @Nullable String messages;

  @Option(
      names = {"-n", "--n-predict"},
      paramLabel = "N",
      description = "Max. tokens of an answer. Default: 64.")
  @Range(min = 1)
  int nPredict = 64;

  @Option(
      names = "--mmproj-b",
      paramLabel = "FILE",
      description = "Image encoder of MODEL, if it is another than that of the reference.")
  @Nullable Path mmprojB;

  @Option(
      names = "--image",
      paramLabel = "FILE",
      description = "Image for comparing image encoders; - is standard input (repeatable).")
  List<ImageSource> images = new ArrayList<>();

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Write a page with tables and charts, which needs no other file.")
  @Nullable Path html;

  @Option(names = "--no-weights", description = "Do not compare the weights.")
  boolean noWeights;

  @Mixin ModelMixin model = new ModelMixin();

  public CompareCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    if (model.model() != null) {
      throw usage("the models are given without -m: REFERENCE MODEL");
    }
    int chunkSize = textFile == null ? 0 : model.chunkSize(this);
    ComparisonReport report;
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      var flag = new CancellationFlag();
      interrupt.onInterrupt(flag::cancel);
      report = compare(chunkSize, progress, flag);
      progress.done();
    } catch (ComputationCancelledException e) {
      throw (CancellationException) new CancellationException("interrupted").initCause(e);
    }
    if (html != null) {
      AtomicFile.write(html, ReportPage.of(report).getBytes(StandardCharsets.UTF_8));
    }
    if (printsJson()) {
      printJson(report.toJson());
    } else {
      io().out().print(report.toText());
    }
    return ExitCode.OK;
  }

  private ComparisonReport compare(int chunkSize, Progress progress, CancellationFlag flag)
      throws IOException {
    boolean encoders = ModelComparison.areEncoders(a, b);
    if (encoders && images.isEmpty() && noWeights) {
      throw usage("nothing to compare: give images (--image)");
    }
    if (!encoders && textFile == null && messages == null && noWeights) {
      throw usage("nothing to compare: give a text (-f) or conversations (--messages)");
    }
    Path mmproj = encoders ? null : model.mmproj();
    var comparison =
        new ModelComparison(
                options(a, mmproj), options(b, encoders || mmprojB == null ? mmproj : mmprojB))
            .weights(!noWeights)
            .images(
                images.stream()
                    .map(image -> new NamedImage(image.toString(), () -> image.read(io()).image()))
                    .toList());
    if (textFile != null) {
      comparison.text(TextInput.read(io(), textFile), chunkSize, chunks);
    }
    if (messages != null) {
      comparison.conversations(TextInput.readConversations(io(), messages), nPredict);
    }
    return comparison.run(progress::report, flag);
  }

  private LoadOptions options(Path file, @Nullable Path mmproj) {
    return new LoadOptions(
            file, mmproj, checked(model::modelOptions), checked(model::contextOptions), null)
        .withImageOptions(checked(model::imageOptions));
  }
}
