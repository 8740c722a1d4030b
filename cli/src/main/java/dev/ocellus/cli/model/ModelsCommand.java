package dev.ocellus.cli.model;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.HubMixin;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.PullProgress;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.hub.HubName;
import dev.ocellus.hub.ModelHub;
import dev.ocellus.hub.ModelName;
import dev.ocellus.hub.OllamaName;
import dev.ocellus.hub.StoredModel;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** The models on this machine. */
@Command(
    name = "models",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ModelsCommand.HEADER,
    description = "Those in HuggingFace's cache and in Ollama's store, whoever fetched them.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus models",
      "  ocellus models show org/repo",
      "  ocellus models verify                       reads all files and compares their hashes",
      "  ocellus models remove ollama:llava:7b",
      "",
      "Exit codes: 0 done, 1 failed, or a file is damaged; 2 wrong command line."
    })
public final class ModelsCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Lists, shows, verifies or removes models that were pulled.";

  /** What to do. */
  enum Action {
    list,
    show,
    verify,
    remove
  }

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "ACTION",
      description = "list, show, verify or remove. Default: list.")
  Action action = Action.list;

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "NAME",
      description = "One of those listed; verify takes all without it.")
  @Nullable String name;

  private final HubMixin settings = new HubMixin();

  public ModelsCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    try (ModelHub hub = ModelHub.open(settings.settings(io()))) {
      List<StoredModel> all = hub.stored();
      return switch (action) {
        case list -> list(all);
        case show -> show(named(all));
        case verify -> verify(hub, name == null ? all : List.of(named(all)));
        case remove -> remove(hub, named(all));
      };
    }
  }

  private StoredModel named(List<StoredModel> all) throws IOException {
    if (name == null) {
      throw usage("'models %s' needs the name of a model".formatted(action));
    }
    String wanted = canonical(name);
    return all.stream()
        .filter(m -> m.name().equals(wanted))
        .findFirst()
        .orElseThrow(() ->
            new NoSuchFileException(name, null, "no such model here; 'ocellus models' lists them"));
  }

  private static String canonical(String name) {
    ModelName parsed =
        ModelName.parse(ModelName.isName(name) ? name : "hf://" + name).orElseThrow();
    return switch (parsed) {
      case HubName hub -> "hf://" + hub.repository();
      case OllamaName ollama -> ollama.toString();
    };
  }

  private int list(List<StoredModel> all) {
    if (printsJson()) {
      ArrayNode json = Json.array();
      all.forEach(m -> json.add(json(m)));
      printJson(json);
    } else {
      all.forEach(m -> io().out().printf("%9s  %s%n", PullProgress.size(m.size()), m.name()));
      if (all.isEmpty()) {
        note("no models here; 'ocellus pull NAME' fetches one");
      }
    }
    return ExitCode.OK;
  }

  private int show(StoredModel model) {
    if (printsJson()) {
      printJson(json(model));
      return ExitCode.OK;
    }
    io().out()
        .printf("%s, %s, in %s%n", model.name(), PullProgress.size(model.size()), model.place());
    model
        .files()
        .forEach(f ->
            io().out().printf("%9s  %-40s  %s%n", PullProgress.size(f.size()), f.name(), f.path()));
    return ExitCode.OK;
  }

  private int verify(ModelHub hub, List<StoredModel> models) throws IOException {
    ArrayNode damaged = Json.array();
    try (Interrupt interrupt = new Interrupt();
        Progress progress = progress()) {
      for (StoredModel model : models) {
        progress.start("verifying " + model.name());
        hub.verify(model, new PullProgress(this, progress, interrupt)).forEach(damaged::add);
        interrupt.check();
      }
    }
    if (printsJson()) {
      printJson(Json.object().put("verified", models.size()).set("damaged", damaged));
    } else {
      damaged.forEach(wrong -> io().out().println(wrong.asText()));
      io().out().printf("%d models, %d files damaged%n", models.size(), damaged.size());
    }
    return damaged.isEmpty() ? ExitCode.OK : ExitCode.FAILED;
  }

  private int remove(ModelHub hub, StoredModel model) throws IOException {
    long freed = hub.remove(model);
    if (printsJson()) {
      printJson(Json.object().put("removed", model.name()).put("bytes", freed));
    } else {
      io().out().printf("%s removed, %s free%n", model.name(), PullProgress.size(freed));
    }
    return ExitCode.OK;
  }

  private static ObjectNode json(StoredModel model) {
    ObjectNode json = Json.object();
    json.put("name", model.name());
    json.put("place", model.place().toString());
    json.put("bytes", model.size());
    ArrayNode files = json.putArray("files");
    model
        .files()
        .forEach(f ->
            files
                .addObject()
                .put("name", f.name())
                .put("path", f.path().toString())
                .put("bytes", f.size()));
    return json;
  }
}
