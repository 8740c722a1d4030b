package dev.ocellus.ggml;

import dev.ocellus.compute.GgmlException;
import java.util.function.Supplier;

/** What stands between a wrong argument and an assertion of ggml, which would end the process. */
final class Checks {
  private Checks() {}

  static void require(boolean condition, Supplier<String> message) {
    if (!condition) {
      throw new GgmlException(message.get());
    }
  }
}
