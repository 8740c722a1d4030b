package dev.ocellus.cli.command;

import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.hub.HubException;
import dev.ocellus.hub.HubSettings;
import dev.ocellus.hub.ModelFiles;
import dev.ocellus.hub.ModelHub;
import dev.ocellus.hub.ModelName;
import dev.ocellus.hub.PullListener;
import dev.ocellus.hub.PullOptions;
import java.io.IOException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Puts files in the place of names of models. Between parsing and running, the value of such an
 * option is a path that stands for the name, as not every system takes a colon in a path.
 */
public final class NamedModels {
  private static final String MARK = "ocellus-model-name=";

  private NamedModels() {}

  /** A path, or what stands for a name. */
  static Path pathOrName(String value) {
    return ModelName.isName(value)
        ? Path.of(MARK + URLEncoder.encode(value, StandardCharsets.UTF_8))
        : Path.of(value);
  }

  private static Optional<String> name(@Nullable Object value) {
    String text = value instanceof Path path ? path.toString() : "";
    return text.startsWith(MARK)
        ? Optional.of(URLDecoder.decode(text.substring(MARK.length()), StandardCharsets.UTF_8))
        : Optional.empty();
  }

  /** Gives every option and argument of a command the files of the model that it names. */
  static void resolve(OcellusCommand command) throws IOException {
    CommandSpec spec = command.spec();
    for (ArgSpec argument : spec.args()) {
      Optional<String> name = name(argument.getValue());
      if (name.isPresent()) {
        resolve(command, spec, argument, name.get());
      }
    }
  }

  private static void resolve(
      OcellusCommand command, CommandSpec spec, ArgSpec argument, String name) throws IOException {
    HubMixin options = options(spec);
    OptionSpec model = spec.findOption("-m");
    OptionSpec mmproj = spec.findOption("--mmproj");
    boolean isModel = argument == model || argument == spec.findOption("-hf");
    boolean isMmprojWanted = isModel && mmproj != null && mmproj.getValue() == null;
    ModelFiles files =
        pull(
            command,
            options,
            ModelName.parse(name).orElseThrow(),
            options.pullOptions(isMmprojWanted));
    argument.setValue(files.model());
    tell(command, name, files);
    if (isModel && model != null) {
      model.setValue(files.model());
    }
    if (isMmprojWanted && mmproj != null && files.mmproj().isPresent()) {
      mmproj.setValue(files.mmproj().get());
    }
  }

  private static void tell(OcellusCommand command, String name, ModelFiles files) {
    if (!Files.isDirectory(files.model())) { // else its files are shown, each with the folder
      command.showName(files.model(), name);
    }
    command.fetched(files.model(), name);
    files.mmproj().ifPresent(mmproj -> command.fetched(mmproj, name));
  }

  /**
   * The files of a model whose name was given to an earlier run: those that are there, whatever the
   * hub has by now; only if one is missing, the hub is asked.
   */
  public static ModelFiles again(
      OcellusCommand command, HubMixin options, String name, PullOptions choice)
      throws IOException {
    ModelName parsed = ModelName.parse(name).orElseThrow();
    HubSettings settings = options.settings(command.io());
    ModelFiles files;
    try (ModelHub here = ModelHub.open(settings.withOffline(true))) {
      files = here.get(parsed, choice, PullListener.NONE);
    } catch (HubException e) {
      if (settings.offline() || e.kind() != HubException.Kind.OFFLINE) {
        throw e;
      }
      files = pull(command, options, parsed, choice);
    }
    tell(command, name, files);
    return files;
  }

  /** What was given with the name, wherever the command keeps it. */
  private static HubMixin options(CommandSpec spec) {
    HubMixin options = new HubMixin();
    OptionSpec offline = spec.findOption("--offline");
    OptionSpec mmprojType = spec.findOption("--mmproj-type");
    options.offline = offline != null && Boolean.TRUE.equals(offline.getValue());
    options.mmprojType = mmprojType != null ? mmprojType.getValue() : null;
    return options;
  }

  /** The files of a model; what is missing is fetched, with progress and a way out by Ctrl-C. */
  public static ModelFiles pull(
      OcellusCommand command, HubMixin options, ModelName name, PullOptions choice)
      throws IOException {
    try (ModelHub hub = ModelHub.open(options.settings(command.io()));
        Interrupt interrupt = new Interrupt();
        Progress progress = command.progress()) {
      return hub.get(name, choice, new PullProgress(command, progress, interrupt));
    }
  }
}
