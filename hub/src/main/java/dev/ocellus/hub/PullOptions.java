package dev.ocellus.hub;

import java.util.Optional;

/**
 * What to take where there is a choice.
 *
 * @param mmproj whether the image encoder is wanted
 * @param mmprojType its type, such as {@code F16}; by default the one nearest to the text model's
 */
public record PullOptions(boolean mmproj, Optional<String> mmprojType) {
  /** As llama.cpp chooses. */
  public static PullOptions defaults() {
    return new PullOptions(true, Optional.empty());
  }
}
