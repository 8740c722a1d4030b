package dev.ocellus.cli.terminal;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Output cannot be written: nobody reads a pipe any more, where the program ends quietly as others
 * do, or a disk is full, which is an error like any other.
 */
public final class OutputClosedException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final boolean readerGone;

  private OutputClosedException(IOException cause, boolean readerGone) {
    super("the output cannot be written: " + cause.getMessage(), cause);
    this.readerGone = readerGone;
  }

  /** Whether whoever read the output went away, as with {@code | head}. */
  public boolean readerGone() {
    return readerGone;
  }

  /** Turns failures to write, which a {@code PrintStream} swallows, into this exception. */
  public static final class Detector extends OutputStream {
    private final OutputStream target;
    private final int descriptor;

    /**
     * @param descriptor number of the file descriptor behind the stream; -1 if there is none
     */
    public Detector(OutputStream target, int descriptor) {
      this.target = target;
      this.descriptor = descriptor;
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
        throw new OutputClosedException(e, isPipe(e));
      }
    }

    @Override
    public void flush() {
      try {
        target.flush();
      } catch (IOException e) {
        throw new OutputClosedException(e, isPipe(e));
      }
    }

    /** Asks the system what is written to, since messages come in the user's language. */
    private boolean isPipe(IOException e) {
      try {
        String file = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
        return file.startsWith("pipe:") || file.startsWith("socket:") || file.contains("/pts/");
      } catch (IOException | UnsupportedOperationException notLinux) {
        String message = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        return message.contains("pipe") || message.contains("reset");
      }
    }
  }
}
