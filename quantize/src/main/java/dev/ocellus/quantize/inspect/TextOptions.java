package dev.ocellus.quantize.inspect;

/**
 * How {@link GgufReport#toText} renders.
 *
 * @param width columns of the terminal; longer lines are cut with an ellipsis. 0 cuts nothing
 * @param ansi whether headings may use ANSI escape sequences
 * @param full whether arrays, strings and the chat template are printed whole
 * @param tensors whether the table of tensors is printed
 */
public record TextOptions(int width, boolean ansi, boolean full, boolean tensors) {
  /** 100 columns, no ANSI, abbreviated, with tensors. */
  public static final TextOptions DEFAULT = new TextOptions(100, false, false, true);

  public TextOptions {
    if (width < 0) {
      throw new IllegalArgumentException("Negative width: " + width);
    }
  }

  /** Another width. */
  public TextOptions withWidth(int columns) {
    return new TextOptions(columns, ansi, full, tensors);
  }

  /** With or without ANSI. */
  public TextOptions withAnsi(boolean on) {
    return new TextOptions(width, on, full, tensors);
  }

  /** Whole or abbreviated. */
  public TextOptions withFull(boolean on) {
    return new TextOptions(width, ansi, on, tensors);
  }

  /** With or without the table of tensors. */
  public TextOptions withTensors(boolean on) {
    return new TextOptions(width, ansi, full, on);
  }
}
