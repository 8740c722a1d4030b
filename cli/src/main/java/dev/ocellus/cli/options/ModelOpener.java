package dev.ocellus.cli.options;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;

/** Loads models with progress on the terminal and a way out by Ctrl-C. */
public final class ModelOpener {
  private ModelOpener() {}

  public static VisionLanguageModel open(
      OcellusCommand command, LoadOptions options, Progress progress, Interrupt interrupt)
      throws IOException {
    String what = "loading " + command.nameOf(options.model());
    progress.start(what);
    try {
      return VisionLanguageModel.open(
          options.withModelOptions(
              options
                  .modelOptions()
                  .withProgress(share -> {
                    progress.report(what, share);
                    return !interrupt.happened();
                  })));
    } finally {
      progress.done();
    }
  }
}
