package dev.ocellus.tests.fuzz;

import dev.ocellus.tests.Folders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** Makes its input up from a number, instead of damaging a file. The file holds the number. */
abstract class GeneratedTarget implements Target {
  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    return false;
  }

  @Override
  public List<Path> bases(Path work) throws IOException {
    return List.of(Files.writeString(work.resolve("any." + name()), "0"));
  }

  @Override
  public boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    Files.writeString(to, Long.toString(random.nextLong()));
    return true;
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws Exception {
    long number = Long.parseLong(new String(data, StandardCharsets.UTF_8).strip());
    Path folder = Files.createTempDirectory("ocellus-" + name());
    try {
      run(new SplittableRandom(number), folder);
    } finally {
      Folders.delete(folder);
    }
  }

  /**
   * Makes an input up and uses it.
   *
   * @param folder an empty one, removed with everything in it
   */
  abstract void run(SplittableRandom random, Path folder) throws Exception;

  /** For what must hold; unlike an assertion it is always on. */
  static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new IllegalStateException(otherwise);
    }
  }
}
