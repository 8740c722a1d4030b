package dev.ocellus.vlm.prompt;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A stretch of a prompt. */
public sealed interface Segment {
  /** Tokens of text. */
  record Tokens(int[] ids) implements Segment {
    /** The ids are copied, both here and when they are asked for. */
    public Tokens {
      ids = ids.clone();
    }

    @Override
    public int[] ids() {
      return ids.clone();
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Tokens that && Arrays.equals(ids, that.ids);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(ids);
    }

    @Override
    public String toString() {
      return "Tokens" + Arrays.toString(ids);
    }
  }

  /**
   * The place of an image.
   *
   * @param index number of the image in the conversation, from 0
   */
  record Image(int index) implements Segment {}
}
