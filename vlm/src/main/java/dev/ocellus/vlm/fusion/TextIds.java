package dev.ocellus.vlm.fusion;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A text as a model takes it.
 *
 * @param ids its tokens, with those at its ends
 * @param nDropped tokens of the text that were left out, as the model takes no more
 */
public record TextIds(int[] ids, int nDropped) {
  public TextIds {
    ids = ids.clone();
  }

  /** Its tokens; a copy. */
  @Override
  public int[] ids() {
    return ids.clone();
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof TextIds that
        && nDropped == that.nDropped
        && Arrays.equals(ids, that.ids);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(ids) + nDropped;
  }

  @Override
  public String toString() {
    return "TextIds[%s, %d dropped]".formatted(Arrays.toString(ids), nDropped);
  }
}
