package dev.ocellus.search;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The image files of a folder and of all folders below, in the order of their names, those of a
 * folder before what is in folders below.
 *
 * <p>Files are chosen by the ends of their names; what is hidden is left out. Symbolic links are
 * followed, but behind everything else and to no folder and no file twice, so that they can neither
 * lead in circles nor make an image its own duplicate.
 */
final class FolderScan {
  private static final Set<String> ENDINGS =
      Set.of("jpg", "jpeg", "jpe", "jfif", "png", "gif", "bmp", "dib", "tif", "tiff", "webp");

  /**
   * A file as it is on the disk.
   *
   * @param path below the folder, with slashes
   * @param modified nanoseconds since 1970
   */
  record File(String path, Path file, long bytes, long modified) {}

  /**
   * A folder or file that could not be read.
   *
   * @param path below the folder, with slashes; empty for the folder itself
   */
  record Problem(String path, String message) {}

  private record Place(Path folder, String prefix) {}

  private final Path root;
  private final BooleanSupplier goOn;
  private final List<File> files = new ArrayList<>();
  private final List<Problem> problems = new ArrayList<>();
  private final Deque<Place> links = new ArrayDeque<>();
  private final List<Place> linkedFiles = new ArrayList<>();
  private final Set<Object> seen = new HashSet<>();

  private FolderScan(Path root, BooleanSupplier goOn) {
    this.root = root;
    this.goOn = goOn;
  }

  /**
   * Looks through a folder.
   *
   * @param goOn asked before each folder
   * @throws IOException if the folder itself cannot be read
   * @throws CancellationException if {@code goOn} says no
   */
  static FolderScan of(Path folder, BooleanSupplier goOn) throws IOException {
    FolderScan scan = new FolderScan(folder, goOn);
    scan.folder(new Place(folder, ""));
    while (!scan.links.isEmpty()) {
      scan.folder(scan.links.removeFirst());
    }
    for (Place link : scan.linkedFiles) {
      scan.linkedFile(link);
    }
    return scan;
  }

  /** The image files. */
  List<File> files() {
    return files;
  }

  /** What could not be looked at; what is known of it and below it stays. */
  List<Problem> problems() {
    return problems;
  }

  /** Whether this could not see whether a file is still there. */
  boolean isHidden(String path) {
    return problems.stream()
        .anyMatch(p -> path.equals(p.path()) || path.startsWith(p.path() + "/"));
  }

  private void folder(Place start) throws IOException {
    Deque<Place> open = new ArrayDeque<>(List.of(start));
    while (!open.isEmpty()) {
      if (!goOn.getAsBoolean()) {
        throw new CancellationException("interrupted while the folder was looked through");
      }
      Place place = open.removeFirst();
      List<Place> below = new ArrayList<>();
      try {
        if (isNew(place.folder())) {
          children(place, below);
        }
      } catch (IOException e) {
        if (place.folder().equals(root)) {
          throw e;
        }
        problems.add(new Problem(place.prefix(), message(e)));
      }
      below.reversed().forEach(open::addFirst);
    }
  }

  private boolean isNew(Path path) throws IOException {
    BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
    Object key = attributes.fileKey();
    return seen.add(key != null ? key : path.toRealPath());
  }

  private void children(Place place, List<Place> below) throws IOException {
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(place.folder())) {
      stream.forEach(children::add);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    children.sort(null);
    for (Path child : children) {
      String name = child.getFileName().toString();
      if (name.startsWith(".")) {
        continue;
      }
      String path = place.prefix().isEmpty() ? name : place.prefix() + "/" + name;
      try {
        child(new Place(child, path), below);
      } catch (IOException e) {
        problems.add(new Problem(path, message(e)));
      }
    }
  }

  private void child(Place child, List<Place> below) throws IOException {
    BasicFileAttributes attributes =
        Files.readAttributes(child.folder(), BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    boolean link = attributes.isSymbolicLink();
    if (link) {
      if (!isImage(child.prefix()) && !Files.isDirectory(child.folder())) {
        return; // also where it leads nowhere
      }
      attributes = Files.readAttributes(child.folder(), BasicFileAttributes.class);
    }
    if (attributes.isDirectory()) {
      (link ? links : below).add(child);
    } else if (attributes.isRegularFile() && isImage(child.prefix())) {
      if (link) {
        linkedFiles.add(child);
      } else {
        file(child.folder(), child.prefix(), attributes);
      }
    }
  }

  private void linkedFile(Place link) {
    try {
      file(
          link.folder(),
          link.prefix(),
          Files.readAttributes(link.folder(), BasicFileAttributes.class));
    } catch (IOException e) {
      problems.add(new Problem(link.prefix(), message(e)));
    }
  }

  private void file(Path file, String path, BasicFileAttributes attributes) throws IOException {
    Object key = attributes.fileKey();
    boolean isNew = seen.add(key != null ? key : file.toRealPath());
    boolean link = Files.isSymbolicLink(file);
    if (link && !isNew) {
      return;
    }
    if (!isText(file, path)) {
      problems.add(new Problem(path, "its name is no valid text in the encoding of the system"));
      return;
    }
    files.add(new File(path, file, attributes.size(), nanos(attributes.lastModifiedTime())));
  }

  /** Whether the name comes back from its text, which the index keeps. */
  private boolean isText(Path file, String path) {
    try {
      return root.resolve(path).equals(file);
    } catch (InvalidPathException e) {
      return false;
    }
  }

  static long nanos(FileTime time) {
    return time.to(TimeUnit.NANOSECONDS);
  }

  static boolean isImage(String name) {
    int dot = name.lastIndexOf('.');
    return dot >= 0 && ENDINGS.contains(name.substring(dot + 1).toLowerCase(Locale.ROOT));
  }

  private static String message(IOException e) {
    String reason = e instanceof FileSystemException f ? f.getReason() : null;
    return switch (e) {
      case AccessDeniedException a -> "no permission";
      case NoSuchFileException n -> "is not there";
      default -> reason != null ? reason : String.valueOf(e.getMessage());
    };
  }
}
