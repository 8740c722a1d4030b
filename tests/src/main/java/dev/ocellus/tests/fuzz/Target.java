package dev.ocellus.tests.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** What is made to read damaged files. */
interface Target {
  /** The name for {@code --only}. */
  String name();

  /** Whether a file, which is not damaged yet, is one for this target. */
  boolean takes(Path file);

  /** Whether its files are GGUF files, whose parts can be damaged one by one. */
  boolean isGguf();

  /**
   * Files of this target's own to start from, which do not depend on the folders.
   *
   * @param work where they are written
   */
  default List<Path> bases(Path work) throws IOException {
    return List.of();
  }

  /** Whether it looks at the file of an input, and not only at its bytes. */
  default boolean readsFile() {
    return true;
  }

  /** Does once, before the first input, what takes long and is done once in a process. */
  default void prepare() {}

  /** Whether an input takes seconds, so that it only runs where it is asked for. */
  default boolean isSlow() {
    return false;
  }

  /**
   * Damages a file in a way of this target's own.
   *
   * @return false if it has none
   */
  default boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    return false;
  }

  /**
   * Reads a file, and uses what it holds.
   *
   * @param data the same as the file
   * @param seed decides about options
   * @throws Exception as a user would get it
   */
  void run(byte[] data, Path file, long seed) throws Exception;
}
