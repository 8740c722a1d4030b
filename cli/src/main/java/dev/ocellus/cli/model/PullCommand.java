package dev.ocellus.cli.model;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.HubMixin;
import dev.ocellus.cli.command.NamedModels;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.PullProgress;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.hub.ModelFiles;
import dev.ocellus.hub.ModelName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Models from a hub. */
@Command(
    name = "pull",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = PullCommand.HEADER,
    description = {
      "A GGUF model with its image encoder, of the type that is named, else Q4_K_M, else Q8_0; or a"
          + " checkpoint, where there is no GGUF. Files lie in HuggingFace's cache, where other"
          + " programs find them too, or in Ollama's. A pull that ended early goes on where it"
          + " was; every file is checked against its hash."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus pull ggml-org/SmolVLM-500M-Instruct-GGUF:Q8_0",
      "  ocellus pull openai/clip-vit-base-patch32",
      "  ocellus pull hf://org/repo/sub/model-Q4_K_M.gguf",
      "  ocellus pull ollama:llava:7b",
      "  ocellus chat -hf ggml-org/SmolVLM-500M-Instruct-GGUF     pulls it too, if it is missing",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C, which keeps what has come."
    })
public final class PullCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Fetches a model by its name from HuggingFace or Ollama.";

  @Parameters(paramLabel = "NAME", description = "REPO[@REVISION][:TYPE], hf://… or ollama:…")
  String name = "";

  @Mixin HubMixin hub = new HubMixin();

  @Option(names = "--no-mmproj", description = "Without the image encoder.")
  boolean noMmproj;

  public PullCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    ModelName parsed =
        ModelName.parse(ModelName.isName(name) ? name : "hf://" + name).orElseThrow();
    ModelFiles files = NamedModels.pull(this, hub, parsed, hub.pullOptions(!noMmproj));
    if (printsJson()) {
      printJson(json(parsed, files));
      return ExitCode.OK;
    }
    for (Path file : files.files()) {
      io().out().printf("%9s  %s%n", PullProgress.size(Files.size(file)), file);
    }
    if (!isQuiet()) {
      io().out().printf("%nRun it:  ocellus chat -m %s%n", parsed);
    }
    return ExitCode.OK;
  }

  private static ObjectNode json(ModelName name, ModelFiles files) {
    ObjectNode json = Json.object();
    json.put("name", name.toString());
    json.put("model", files.model().toString());
    json.put("mmproj", files.mmproj().map(Path::toString).orElse(null));
    ArrayNode all = json.putArray("files");
    files.files().forEach(file -> all.add(file.toString()));
    return json;
  }
}
