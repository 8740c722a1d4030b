package dev.ocellus.ggml;

import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/**
 * Lets the entries of a non-causal batch attend to each other in every layer and over any distance.
 * libllama leaves layers without a window causal for some architectures, and those with one do not
 * look further than it.
 *
 * <p>All entries are of one sequence. The last row of a causal mask attends to what all rows
 * should. In a mask with a window, the first rows attend to all others, and to what stands before
 * them; the last of those that attend to the first one attends to exactly the entries of the batch,
 * and so should the ones behind it.
 */
public final class NonCausalMasks extends MaskCallback {
  private final int window;

  /**
   * @param window places that layers with a window attend to; 0 if there are none
   * @param next asked as well, or null
   * @param arena must live as long as anything computes with the callback
   */
  public NonCausalMasks(int window, @Nullable NodeCallback next, Arena arena) {
    super(next, arena);
    this.window = window;
  }

  @Override
  void change(Mask mask) {
    int rows = mask.rows();
    if (mask.nAttended(0) < mask.nAttended(rows - 1)) { // causal
      mask.copy(rows - 1, 0, rows - 1);
    } else if (window > 0 && rows > window) {
      mask.copy(window - 1, window, rows);
    }
  }
}
