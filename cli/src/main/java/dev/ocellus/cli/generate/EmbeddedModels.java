package dev.ocellus.cli.generate;

import dev.ocellus.cli.command.Checkpoints;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.nio.file.Path;

/** The models that make images where none was given. */
final class EmbeddedModels {
  private EmbeddedModels() {}

  /** A VQ model: the one of the options, or the embedded one. */
  static Path vq(OcellusCommand command, GeneratorMixin options) throws IOException {
    Path model = options.model;
    if (model != null) {
      return Checkpoints.generator(command, model);
    }
    note(command, DemoModel.VQ);
    return DemoModel.vq();
  }

  /** The embedded generator of noise. */
  static Path gan(OcellusCommand command) throws IOException {
    note(command, DemoModel.GAN);
    return DemoModel.gan();
  }

  /** The embedded critic. */
  static Path critic(OcellusCommand command) throws IOException {
    note(command, DemoModel.CRITIC);
    return DemoModel.critic();
  }

  private static void note(OcellusCommand command, String name) {
    command.note(
        "no model given (-m): the embedded %s is used; it knows only drawn shapes".formatted(name));
  }
}
