package dev.ocellus.tests.fuzz;

import dev.ocellus.OcellusException;

/** Options, not the file, were refused; that is as right as a refused file. */
final class RefusedOptionException extends OcellusException {
  private static final long serialVersionUID = 1;

  RefusedOptionException(IllegalArgumentException cause) {
    super("Options were refused: " + cause.getMessage(), cause);
  }
}
