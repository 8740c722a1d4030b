package dev.ocellus.search;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.search.IndexException.Kind;
import java.io.EOFException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import org.apache.lucene.index.CorruptIndexException;
import org.apache.lucene.index.IndexFormatTooNewException;
import org.apache.lucene.index.IndexFormatTooOldException;
import org.apache.lucene.index.IndexNotFoundException;
import org.apache.lucene.store.AlreadyClosedException;
import org.apache.lucene.store.LockObtainFailedException;
import org.jspecify.annotations.Nullable;

/** What Lucene throws, in words of an index of images. */
final class IndexErrors {
  /** Work on an index. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws IOException;
  }

  private IndexErrors() {}

  /** Reads; whatever cannot be understood is damage. */
  static <T> T reading(Path index, Work<T> work) throws IOException {
    try {
      return work.run();
    } catch (OcellusException | CancellationException | AccessDeniedException e) {
      throw e;
    } catch (IOException e) {
      throw known(index, e);
    } catch (RuntimeException | AssertionError | InternalError e) {
      throw damaged(index, e);
    }
  }

  /** Writes; the index is as it was committed last. */
  static <T> T writing(Path index, Work<T> work) throws IOException {
    try {
      return work.run();
    } catch (CorruptIndexException | LockObtainFailedException e) {
      throw known(index, e);
    } catch (IOException e) {
      throw notWritten(index, e);
    } catch (UncheckedIOException e) {
      throw notWritten(index, e);
    } catch (AlreadyClosedException e) { // it closes itself when a thread behind it fails
      throw notWritten(index, e.getCause() == null ? e : e.getCause());
    }
  }

  private static OcellusException known(Path index, IOException e) {
    return switch (e) {
      case LockObtainFailedException l -> busy(index, e);
      case IndexNotFoundException n -> missing(index, e);
      case IndexFormatTooNewException n -> unknown(index, "is of a later version of Lucene", e);
      case IndexFormatTooOldException n -> unknown(index, "is of an older version of Lucene", e);
      case CorruptIndexException c -> damaged(index, e);
      case EOFException c -> damaged(index, e);
      case NoSuchFileException c -> damaged(index, e);
      case FileNotFoundException c -> damaged(index, e);
      default ->
          new OcellusException(
              "the index %s cannot be read: %s".formatted(index, e.getMessage()), e);
    };
  }

  static IndexException busy(Path index, Throwable cause) {
    return new IndexException(
        Kind.BUSY,
        index,
        "is being written by another process. Wait until it is done; searching goes on meanwhile",
        cause);
  }

  static IndexException missing(Path index, @Nullable Throwable cause) {
    return new IndexException(
        Kind.MISSING, index, "does not exist, or nothing was committed to it yet", cause);
  }

  static OcellusException damaged(Path index, Throwable cause) {
    return new IndexException(
            Kind.DAMAGED,
            index,
            "is damaged (%s). Make it anew (UpdateOptions.rebuild); the images are not touched"
                .formatted(detail(cause)),
            cause)
        .about(Setting.REBUILD_INDEX);
  }

  static OcellusException unknown(Path index, String what, @Nullable Throwable cause) {
    return new IndexException(
            Kind.UNKNOWN_FORMAT,
            index,
            what
                + ". Make it anew (UpdateOptions.rebuild), or use another place"
                + " (IndexLocation.index)",
            cause)
        .about(Setting.REBUILD_INDEX, Setting.INDEX_PLACE);
  }

  private static OcellusException notWritten(Path index, Throwable cause) {
    return new IndexException(
            Kind.NOT_WRITTEN,
            index,
            "could not be written: %s. It is as it was committed last, and the next update goes on from there"
                .formatted(detail(cause)),
            cause)
        .about(Setting.INDEX_PLACE);
  }

  private static String detail(Throwable cause) {
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return cause instanceof AccessDeniedException ? "no permission for " + message : message;
  }
}
