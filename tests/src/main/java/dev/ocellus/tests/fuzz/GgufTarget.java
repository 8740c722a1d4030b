package dev.ocellus.tests.fuzz;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;

/** Reads all of a GGUF file in Java. */
final class GgufTarget implements Target {
  @Override
  public String name() {
    return "gguf";
  }

  @Override
  public boolean isGguf() {
    return true;
  }

  @Override
  public boolean takes(Path file) {
    return file.toString().endsWith(".gguf");
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      gguf.metadata()
          .asMap()
          .forEach((key, value) -> {
            value.display();
            if (value instanceof GgufArray array && array.length() > 0) {
              array.displayAt(array.length() - 1);
            }
          });
      for (GgufTensor t : gguf.tensors()) {
        if (t.byteSize() > 0) {
          t.data().segment().get(ValueLayout.JAVA_BYTE, t.byteSize() - 1);
        }
      }
      gguf.requireReadableByGgml();
    }
  }
}
