package dev.ocellus.io;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Files that only make sense together: none appears under its name before all are complete. They
 * are then renamed from the last to the first, so that a set whose first file is there is whole.
 *
 * <p>Not for use by several threads at once.
 */
public final class AtomicFileSet implements AutoCloseable {
  private final List<TemporaryFile> written = new ArrayList<>();

  /** Starts with no files. */
  public AtomicFileSet() {}

  /**
   * Writes the next file of the set, which does not appear yet.
   *
   * @throws IOException if it cannot be written, or {@code path} is no regular file
   */
  public void write(Path path, AtomicFile.Content content) throws IOException {
    OutputPlace place = OutputPlace.of(path);
    place.requireReplaced();
    written.add(TemporaryFile.write(place, content));
  }

  /**
   * Gives all files their names.
   *
   * @throws IOException if one cannot be renamed; the first file has no name then
   */
  public void commit() throws IOException {
    for (TemporaryFile file : written.reversed()) {
      file.rename();
    }
  }

  /** Removes what was not committed. */
  @Override
  public void close() throws IOException {
    for (TemporaryFile file : written) {
      file.close();
    }
  }
}
