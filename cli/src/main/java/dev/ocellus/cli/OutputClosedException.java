package dev.ocellus.cli;

import java.io.IOException;
import java.io.OutputStream;

/** Nobody reads the output any more. The program ends quietly, as others do in a pipe. */
final class OutputClosedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  OutputClosedException(IOException cause) {
    super("the output cannot be written", cause);
  }

  /** Turns failures to write, which a {@code PrintStream} swallows, into this exception. */
  static final class Detector extends OutputStream {
    private final OutputStream target;

    Detector(OutputStream target) {
      this.target = target;
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      try {
        target.write(bytes, offset, length);
      } catch (IOException e) {
        throw new OutputClosedException(e);
      }
    }

    @Override
    public void flush() {
      try {
        target.flush();
      } catch (IOException e) {
        throw new OutputClosedException(e);
      }
    }
  }
}
