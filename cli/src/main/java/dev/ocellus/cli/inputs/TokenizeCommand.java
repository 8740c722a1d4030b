package dev.ocellus.cli.inputs;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.HubMixin;
import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.Tokens;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Text to tokens. */
@Command(
    name = "tokenize",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = TokenizeCommand.HEADER,
    description =
        "One token a line with its id, or ids alone. Text comes from the command line, a file, or standard input.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus tokenize -m model.gguf \"Hello world\"",
      "  ocellus tokenize -m model.gguf --ids -f text.txt",
      "  echo '<|im_start|>' | ocellus tokenize -m model.gguf --parse-special --json",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line."
    })
public final class TokenizeCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Shows the tokens of a text.";

  @Parameters(paramLabel = "TEXT", arity = "0..1", description = "The text.")
  @Nullable String text;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "TEXT",
      description = "The text, as an option.")
  @Nullable String prompt;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "FILE|NAME",
      converter = ModelPathConverter.class,
      description =
          "Model that reads texts: a text model, a dual encoder, or one such as BLIP, as a GGUF file or the folder of a checkpoint. Without it, the embedded demo model's vocabulary is used.")
  @Nullable Path model;

  @Mixin HubMixin named = new HubMixin();

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      description = "Take the text from a file.")
  @Nullable String file;

  @Option(
      names = "--parse-special",
      description =
          "Texts of control tokens become those tokens, as in a template; for text models.")
  boolean parseSpecial;

  @Option(names = "--ids", description = "Print only the ids, on one line.")
  boolean ids;

  public TokenizeCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    String input = input();
    @Nullable Path path = model == null ? null : Checkpoints.text(this, model);
    if (path == null) {
      path = DemoModel.files().model();
      note(
          "no model given (-m): the vocabulary of the embedded demo model %s is used"
              .formatted(DemoModel.NAME));
    }
    try (Tokens tokens = Tokens.open(path)) {
      int[] found = tokens.encode(input, parseSpecial);
      if (printsJson()) {
        printJson(json(input, tokens, found));
      } else if (ids) {
        io().out()
            .println(
                Arrays.stream(found).mapToObj(String::valueOf).collect(Collectors.joining(" ")));
      } else {
        for (int token : found) {
          io().out().println("%7d  %s".formatted(token, quoted(tokens.piece(token))));
        }
      }
    }
    return ExitCode.OK;
  }

  private String input() throws IOException {
    if (((text != null ? 1 : 0) + (prompt != null ? 1 : 0) + (file != null ? 1 : 0)) > 1) {
      throw usage("the text is given twice; give it as an argument, with -p, or with -f");
    }
    if (file != null) {
      return TextInput.read(io(), file);
    }
    if (text != null || prompt != null) {
      return text != null ? text : prompt != null ? prompt : "";
    }
    return TextInput.read(io(), "-");
  }

  private static ObjectNode json(String input, Tokens tokens, int[] found) {
    ObjectNode json = Json.object();
    json.put("text", input);
    json.put("count", found.length);
    json.set("ids", Json.array(found));
    ArrayNode array = json.putArray("tokens");
    for (int token : found) {
      array
          .addObject()
          .put("id", token)
          .put("piece", tokens.piece(token))
          .put("text", tokens.text(token))
          .put("control", tokens.isControl(token));
    }
    return json;
  }

  private static String quoted(String piece) {
    return "'" + piece.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") + "'";
  }
}
