package dev.ocellus.cli.model;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.eval.ChatImportance;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.quantize.imatrix.ImportanceCollector;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import dev.ocellus.quantize.imatrix.TextImportance;
import dev.ocellus.quantize.text.TextChunks;
import dev.ocellus.vlm.json.Conversations;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Statistics for quantizing. */
@Command(
    name = "imatrix",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ImatrixCommand.HEADER,
    description = {
      "Computes text (-f) or conversations with images (--messages) and notes how large the activations are that every weight is multiplied with.",
      "The file is of llama-imatrix's GGUF format. With conversations it holds the weights of the image encoder too.",
      "Without text and conversations, the files of --in-file are merged."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus imatrix -m model-f16.gguf -f text.txt -o imatrix.gguf",
      "  ocellus imatrix -m model-f16.gguf --mmproj mmproj-f16.gguf --messages chats.json",
      "  ocellus imatrix --in-file a.gguf --in-file b.gguf -o both.gguf",
      "",
      "Exit codes: 0 written, 1 failed, 2 wrong command line, 130 Ctrl-C (nothing is written)."
    })
public final class ImatrixCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Makes an importance matrix for quantizing.";

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "Text to compute; - for standard input.")
  @Nullable String textFile;

  @Option(
      names = "--messages",
      paramLabel = "FILE",
      description =
          "Conversations to compute: a JSON array of messages, an array of such arrays, or one conversation a line.")
  List<String> messages = new ArrayList<>();

  @Option(
      names = {"-n", "--n-predict"},
      paramLabel = "N",
      description = "Tokens to generate after each conversation. Default: 32.")
  @Range(min = 0)
  int nPredict = 32;

  @Option(
      names = {"-o", "--output-file"},
      paramLabel = "FILE",
      description = "What to write. Default: imatrix.gguf.")
  Path out = Path.of("imatrix.gguf");

  @Option(
      names = "--in-file",
      paramLabel = "FILE",
      description = "An earlier matrix to continue or merge (repeatable).")
  List<Path> inFiles = new ArrayList<>();

  @Option(names = "--process-output", description = "Also collect for output.weight.")
  boolean processOutput;

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Chunks of the text to compute at most. Default: -1, all.")
  @Range(min = 1, or = -1)
  int chunks = -1;

  @Option(
      names = "--chunk",
      paramLabel = "N",
      description = "Chunks of the text to skip at the beginning. Default: 0.")
  @Range(min = 0)
  int skip;

  @Option(
      names = "--parse-special",
      description = "Texts of control tokens in the text become those tokens.")
  boolean parseSpecial;

  @Mixin ModelMixin model = new ModelMixin();

  public ImatrixCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    if (textFile == null && messages.isEmpty() && inFiles.isEmpty()) {
      throw usage(
          "nothing to do: give text (-f), conversations (--messages) or matrices to merge (--in-file)");
    }
    int chunkSize = model.chunkSize(this);
    ImportanceMatrix earlier = ImportanceMatrix.empty(chunkSize);
    for (Path file : inFiles) {
      earlier = earlier.plus(ImportanceMatrix.read(file));
    }
    var collector = new ImportanceCollector(chunkSize);
    collector.resume(earlier);
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      var flag = new CancellationFlag();
      interrupt.onInterrupt(flag::cancel);
      if (textFile != null || !messages.isEmpty()) {
        LoadOptions options = model.loadOptions(this);
        if (textFile != null) {
          collectText(options, textFile, chunkSize, collector, progress, flag);
        }
        if (!messages.isEmpty()) {
          collectChats(options, collector, progress, flag);
        }
      }
      interrupt.check();
    }
    ImportanceMatrix matrix = collector.matrix();
    if (matrix.entries().isEmpty()) {
      throw new IllegalArgumentException(
          "nothing was collected: the texts are shorter than %d tokens, or no weight was met"
              .formatted(ImportanceCollector.USUAL_LEAST_ROWS));
    }
    matrix.write(out);
    report(matrix);
    return ExitCode.OK;
  }

  private void collectText(
      LoadOptions options,
      String file,
      int chunkSize,
      ImportanceCollector collector,
      Progress progress,
      CancellationFlag flag)
      throws IOException {
    String text = TextInput.read(io(), file);
    progress.start("loading " + nameOf(options.model()));
    try (LlamaModel loaded = LlamaModel.load(options.model(), options.modelOptions())) {
      TextChunks cut = TextChunks.of(loaded.vocab(), text, chunkSize, skip, chunks, parseSpecial);
      collector.addDataset(file);
      TextImportance.collect(
          loaded,
          options.contextOptions(),
          cut,
          collector,
          processOutput,
          (done, count) ->
              progress.report("chunk %d of %d".formatted(done, count), (double) done / count),
          flag);
      progress.done();
    } catch (ComputationCancelledException e) {
      throw cancelled(e);
    }
  }

  private void collectChats(
      LoadOptions options, ImportanceCollector collector, Progress progress, CancellationFlag flag)
      throws IOException {
    List<Conversations> all = new ArrayList<>();
    for (String file : messages) {
      all.add(TextInput.readConversations(io(), file));
    }
    try {
      ChatImportance.collect(
          options, all, nPredict, processOutput, collector, progress::report, flag);
      progress.done();
    } catch (ComputationCancelledException e) {
      throw cancelled(e);
    }
  }

  private static CancellationException cancelled(RuntimeException e) {
    return (CancellationException) new CancellationException("interrupted").initCause(e);
  }

  private void report(ImportanceMatrix matrix) {
    if (printsJson()) {
      ObjectNode json = Json.object();
      json.put("output", out.toString());
      json.put("entries", matrix.entries().size());
      json.put("chunks", matrix.nChunks());
      json.put("chunk_size", matrix.chunkSize());
      matrix.datasets().forEach(json.putArray("datasets")::add);
      printJson(json);
    } else {
      String from =
          matrix.nChunks() == 0
              ? "from conversations"
              : "from %d chunks of %d tokens".formatted(matrix.nChunks(), matrix.chunkSize());
      note("%s: %d weights %s".formatted(out, matrix.entries().size(), from));
    }
  }
}
