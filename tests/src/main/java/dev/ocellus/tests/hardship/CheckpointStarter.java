package dev.ocellus.tests.hardship;

import dev.ocellus.convert.cache.CheckpointCache;
import dev.ocellus.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/** Opens a checkpoint through the cache as a command does, when it is told to. */
public final class CheckpointStarter {
  private CheckpointStarter() {}

  /** {@code CACHE CHECKPOINT}; begins when a line comes in, and prints the architecture. */
  public static void main(String[] args) throws IOException {
    var cache = new CheckpointCache(Path.of(args[0]));
    System.out.println("ready");
    int unused = System.in.read();
    var converted = cache.convert(Path.of(args[1]), true, (file, share) -> true);
    try (GgufFile text = GgufFile.open(converted.text());
        GgufFile mmproj = GgufFile.open(Objects.requireNonNull(converted.mmproj()))) {
      System.out.printf(
          "%s %s%n",
          text.metadata().string("general.architecture"),
          mmproj.metadata().string("general.architecture"));
    }
  }
}
