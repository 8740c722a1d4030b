package dev.ocellus.cli.command;

import dev.ocellus.cli.terminal.Io;
import dev.ocellus.hub.HubSettings;
import dev.ocellus.hub.PullOptions;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A model by its name. */
public final class HubMixin {
  @Option(
      names = {"-hf", "--hf-repo"},
      paramLabel = "REPO[:TYPE]",
      converter = ModelPathConverter.OfHub.class,
      description =
          "Model of HuggingFace's hub, fetched once; the same as -m hf://REPO[:TYPE]. -m ollama:NAME"
              + " takes Ollama's.")
  @Nullable Path hub;

  @Option(
      names = "--mmproj-type",
      paramLabel = "TYPE",
      description =
          "Which image encoder of the repository, such as F16. Default: the one whose type is"
              + " nearest to the text model's.")
  @Nullable String mmprojType;

  @Option(names = "--offline", description = "Fetch nothing; use what was fetched before.")
  boolean offline;

  /** Which image encoder of the repository was asked for; null for the nearest. */
  public @Nullable String mmprojType() {
    return mmprojType;
  }

  /** Asks for an image encoder, unless another was asked for. */
  public void takeMmprojType(@Nullable String type) {
    mmprojType = mmprojType == null ? type : mmprojType;
  }

  public PullOptions pullOptions(boolean mmproj) {
    return new PullOptions(mmproj, Optional.ofNullable(mmprojType));
  }

  public HubSettings settings(Io io) {
    HubSettings settings =
        HubSettings.from(io.environment(), Path.of(System.getProperty("user.home")));
    return offline ? settings.withOffline(true) : settings;
  }
}
