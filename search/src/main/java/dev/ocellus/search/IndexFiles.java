package dev.ocellus.search;

import dev.ocellus.Setting;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.lucene.index.IndexWriter;
import org.jspecify.annotations.Nullable;

/** The folder of an index. */
final class IndexFiles {
  private static final String COMMIT = "segments_";

  /** What Lucene calls its files, so that nothing else is ever deleted. */
  private static final Pattern OURS =
      Pattern.compile(
          "(pending_)?segments_[0-9a-z]+|_[0-9a-z]+[._].*|" + IndexWriter.WRITE_LOCK_NAME);

  private IndexFiles() {}

  static boolean hasCommit(Path index) throws IOException {
    return !list(index, COMMIT + "*").isEmpty();
  }

  private static List<Path> list(Path folder, String glob) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
      stream.forEach(files::add);
    }
    return files;
  }

  /**
   * Makes the folder, in which nothing but an index may be. That inside the folder of the images
   * tells version control that it is none of its business.
   */
  static void prepare(IndexLocation location) throws IOException {
    Path index = location.index();
    try {
      Files.createDirectories(index);
      Path parent = index.getParent();
      if (location.isInside() && parent != null) {
        Path ignore = parent.resolve(".gitignore");
        if (Files.notExists(ignore)) {
          Files.writeString(ignore, "*\n");
        }
      }
    } catch (FileSystemException e) {
      throw new IndexException(
              IndexException.Kind.NOT_WRITTEN,
              index,
              "cannot be made (%s). Name another place for it (IndexLocation.index)"
                  .formatted(reason(e)),
              e)
          .about(Setting.INDEX_PLACE);
    }
    for (Path file : list(index, "*")) {
      if (!OURS.matcher(file.getFileName().toString()).matches()) {
        throw IndexErrors.unknown(
            index,
            "cannot be there: the folder holds other files, such as " + file.getFileName(),
            null);
      }
    }
  }

  private static String reason(FileSystemException e) {
    return switch (e) {
      case AccessDeniedException a -> "no permission for " + e.getFile();
      case FileAlreadyExistsException a -> e.getFile() + " is a file";
      default -> String.valueOf(e.getMessage());
    };
  }

  /** Removes a damaged index; its lock is held. */
  static void clear(Path index) throws IOException {
    for (Path file : list(index, "*")) {
      String name = file.getFileName().toString();
      if (OURS.matcher(name).matches() && !name.equals(IndexWriter.WRITE_LOCK_NAME)) {
        Files.delete(file);
      }
    }
  }

  /** Refuses what other programs, or later versions of this one, committed. */
  static void requireFormat(Path index, @Nullable Map<String, String> data) {
    String format = data == null ? null : data.get(IndexFields.FORMAT_KEY);
    if (!IndexFields.FORMAT.equals(format)) {
      throw IndexErrors.unknown(
          index,
          format == null
              ? "is one of Lucene that Ocellus did not make"
              : "has format %s, and this version reads %s".formatted(format, IndexFields.FORMAT),
          null);
    }
  }
}
