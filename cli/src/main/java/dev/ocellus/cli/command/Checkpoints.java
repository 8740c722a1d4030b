package dev.ocellus.cli.command;

import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.cache.CheckpointCache;
import dev.ocellus.nativelib.CacheDirectory;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Lets a HuggingFace checkpoint stand where a model file is asked for. */
public final class Checkpoints {
  private Checkpoints() {}

  /** The files to load: those that are given, or what a folder is converted to. */
  public static CheckpointCache.Converted resolve(
      OcellusCommand command, Path model, @Nullable Path mmproj) throws IOException {
    if (!Converter.isCheckpoint(model)) {
      return new CheckpointCache.Converted(model, mmproj);
    }
    Path cache = CacheDirectory.of("checkpoints");
    boolean[] told = new boolean[1];
    try (var interrupt = new Interrupt();
        var progress = command.progress()) {
      CheckpointCache.Converted pair =
          new CheckpointCache(cache)
              .convert(
                  model,
                  mmproj == null,
                  (file, share) -> {
                    if (!told[0]) {
                      told[0] = true;
                      command.note(
                          "converting %s once, into %s; 'ocellus convert' puts the files elsewhere"
                              .formatted(model, file.getParent()));
                    }
                    progress.report("converting " + model.getFileName(), share);
                    return !interrupt.happened();
                  });
      return mmproj == null ? pair : new CheckpointCache.Converted(pair.text(), mmproj);
    }
  }
}
