package dev.ocellus.tests.hardship;

import dev.ocellus.io.AtomicFile;
import dev.ocellus.io.AtomicFileSet;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;

/** Writes half a file or set of files, says so, and waits until it is killed. */
public final class HalfWriter {
  private HalfWriter() {}

  /** {@code FOLDER file|set}. */
  public static void main(String[] args) throws IOException {
    Path folder = Path.of(args[0]);
    if (args[1].equals("set")) {
      try (AtomicFileSet set = new AtomicFileSet()) {
        set.write(folder.resolve("part-1"), channel -> channel.write(half()));
        set.write(folder.resolve("part-2"), channel -> waitInside(channel.write(half())));
        set.commit();
      }
    } else {
      AtomicFile.write(folder.resolve("whole"), channel -> waitInside(channel.write(half())));
    }
  }

  private static ByteBuffer half() {
    return ByteBuffer.allocate(1000);
  }

  private static void waitInside(int written) throws IOException {
    System.out.println("writing " + written);
    int unused = System.in.read(); // until this process is killed
  }
}
