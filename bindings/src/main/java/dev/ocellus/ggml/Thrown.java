package dev.ocellus.ggml;

import org.jspecify.annotations.Nullable;

/** What was thrown where it could not go on: on another thread, or below native code. */
public final class Thrown {
  private Thrown() {}

  /**
   * Throws it here, as it is, since unchecked is all that such code may throw. Allocates nothing.
   *
   * @param thrown null where nothing was thrown
   * @throws IllegalStateException around a checked exception, which somebody threw sneakily
   */
  public static void rethrow(@Nullable Throwable thrown) {
    switch (thrown) {
      case null -> {}
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case Throwable e -> throw new IllegalStateException("a checked exception", e);
    }
  }
}
