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
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.quantize.measure.Perplexity;
import dev.ocellus.quantize.text.TextChunks;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How well a model predicts a text. */
@Command(
    name = "perplexity",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = PerplexityCommand.HEADER,
    description = {
      "Chunks of -c tokens (default 512), of which the second half is scored, as llama-perplexity does. Lower is better."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus perplexity -m model.gguf -f text.txt",
      "  ocellus perplexity -m model.gguf -f text.txt -c 2048 --chunks 10 --json",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class PerplexityCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Measures how well a text model predicts a text.";

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      required = true,
      description = "Text to predict; - for standard input.")
  String file = "-";

  @Option(
      names = "--chunks",
      paramLabel = "N",
      description = "Chunks to compute at most. Default: -1, all.")
  @Range(min = 1, or = -1)
  int chunks = -1;

  @Mixin ModelMixin model = new ModelMixin();

  public PerplexityCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    int nCtx = model.chunkSize(this);
    LoadOptions options = model.loadOptions(this);
    String text = TextInput.read(io(), file);
    try (var interrupt = new Interrupt();
        var progress = progress()) {
      var flag = new CancellationFlag();
      interrupt.onInterrupt(flag::cancel);
      progress.start("loading " + nameOf(options.model()));
      try (LlamaModel loaded = LlamaModel.load(options.model(), options.modelOptions())) {
        TextChunks cut = TextChunks.of(loaded.vocab(), text, nCtx, 0, chunks, false);
        Perplexity result =
            Perplexity.measure(
                loaded,
                options.contextOptions(),
                cut,
                (done, count, soFar) ->
                    progress.report(
                        String.format(
                            Locale.ROOT, "chunk %d of %d: %.4f", done, count, soFar.value()),
                        (double) done / count),
                flag);
        progress.done();
        print(options, cut, result);
      } catch (ComputationCancelledException e) {
        throw (CancellationException) new CancellationException("interrupted").initCause(e);
      }
    }
    return ExitCode.OK;
  }

  private void print(LoadOptions options, TextChunks cut, Perplexity result) {
    if (printsJson()) {
      ObjectNode json = Json.object();
      json.put("model", given(options.model()).toString());
      json.put("file", file);
      json.put("chunks", cut.count());
      json.put("chunk_size", cut.nCtx());
      json.put("tokens", result.nTokens());
      json.put("perplexity", result.value());
      json.put("error", result.error());
      printJson(json);
    } else {
      io().out().printf(Locale.ROOT, "PPL = %.4f +/- %.5f%n", result.value(), result.error());
    }
  }
}
