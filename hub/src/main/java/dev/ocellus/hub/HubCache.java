package dev.ocellus.hub;

import dev.ocellus.hub.HubException.Kind;
import dev.ocellus.io.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * huggingface_hub's cache of one repository: {@code blobs} named by their hashes, {@code
 * snapshots/COMMIT/path} as links to them, and {@code refs/REVISION} with a commit in it.
 *
 * @see <a href="https://huggingface.co/docs/huggingface_hub/guides/manage-cache">manage-cache</a>
 */
final class HubCache {
  private static final String TAG =
      """
      Signature: 8a477f597d28d172789f06886806bc55
      # This file is a cache directory tag created by huggingface_hub.
      # For information about cache directory tags, see:
      #	https://bford.info/cachedir/
      """;

  private final Path root;
  private final Path repository;
  private final String folder;

  HubCache(Path root, String repository) {
    this.root = root;
    this.folder = "models--" + repository.replace("/", "--");
    this.repository = root.resolve(folder);
  }

  /** The folder of the repository, whether it is there or not. */
  Path folder() {
    return repository;
  }

  /** Where a file's bytes are kept. */
  Path blob(HubFile file) {
    return repository.resolve("blobs").resolve(file.hash());
  }

  /** Where they are while they come. Not huggingface_hub's name, which it would delete. */
  Path partial(HubFile file) {
    return repository.resolve("blobs").resolve(file.hash() + FileLocks.PARTIAL);
  }

  /** The file by which programs agree who fetches something. */
  Path lock(HubFile file) {
    return root.resolve(".locks").resolve(folder).resolve(file.hash() + ".lock");
  }

  /** A file of a commit. */
  Path snapshot(String commit, String path) {
    return snapshot(commit).resolve(path);
  }

  /** The folder of a commit. */
  Path snapshot(String commit) {
    return repository.resolve("snapshots").resolve(commit);
  }

  /** Makes the folders. */
  void create() throws IOException {
    if (!Files.isDirectory(root)) {
      Files.createDirectories(root);
      AtomicFile.write(root.resolve("CACHEDIR.TAG"), TAG.getBytes(StandardCharsets.UTF_8));
    }
    Files.createDirectories(repository.resolve("blobs"));
    Files.createDirectories(repository.resolve("refs"));
    Files.createDirectories(root.resolve(".locks").resolve(folder));
  }

  /** Remembers which commit a revision stands for. */
  void remember(String revision, String commit) throws IOException {
    if (revision.equals(commit)) {
      return; // as huggingface_hub: a commit stands for itself
    }
    Path ref = repository.resolve("refs").resolve(SafePath.check(revision));
    Files.createDirectories(Optional.ofNullable(ref.getParent()).orElse(repository));
    AtomicFile.write(ref, commit.getBytes(StandardCharsets.UTF_8));
  }

  /** The commit that a revision stood for when the hub was last asked. */
  Optional<String> remembered(String revision) throws IOException {
    Path ref = repository.resolve("refs").resolve(SafePath.check(revision));
    if (Files.isRegularFile(ref)) {
      String commit = Files.readString(ref).strip();
      return SafePath.isSafe(commit) && Files.isDirectory(snapshot(commit))
          ? Optional.of(commit)
          : Optional.empty();
    }
    return Files.isDirectory(snapshot(revision)) ? Optional.of(revision) : Optional.empty();
  }

  /** The files of a commit that are here. Those that link to nothing are not. */
  List<HubFile> files(String commit) throws IOException {
    Path snapshot = snapshot(commit);
    List<HubFile> files = new ArrayList<>();
    try (Stream<Path> all = Files.walk(snapshot)) {
      for (Path file : (Iterable<Path>) all.sorted()::iterator) {
        if (Files.isRegularFile(file)) {
          String path = snapshot.relativize(file).toString().replace('\\', '/');
          files.add(new HubFile(path, Files.size(file), hash(file)));
        }
      }
    }
    return files;
  }

  /** The name of the blob behind a link; nothing for a plain file, as caches on Windows have. */
  private static String hash(Path file) throws IOException {
    return Files.isSymbolicLink(file)
        ? String.valueOf(Files.readSymbolicLink(file).getFileName())
        : "";
  }

  /** Whether a commit has this file, complete. */
  boolean has(String commit, HubFile file) throws IOException {
    Path at = snapshot(commit, file.path());
    return Files.isRegularFile(at) && Files.size(at) == file.size();
  }

  /** Gives a blob its name in a commit. */
  void link(String commit, HubFile file) throws IOException {
    Path at = snapshot(commit, file.path());
    Path parent = Optional.ofNullable(at.getParent()).orElse(at);
    Files.createDirectories(parent);
    if (Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
      Files.delete(at); // a link to what is gone, or a file of another size
    }
    try {
      Files.createSymbolicLink(at, parent.relativize(blob(file)));
    } catch (FileAlreadyExistsException e) {
      // another program was faster, with the same
    } catch (IOException | UnsupportedOperationException e) { // Windows without the permission
      Files.move(blob(file), at, StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** What to throw where the cache cannot be written. */
  HubException notWritable(IOException e) {
    return new HubException(
        Kind.DISK,
        "The cache of models, %s, cannot be written: %s. Another place can be named with HF_HOME or HF_HUB_CACHE."
            .formatted(root, e.getMessage() == null ? e : e.getMessage()),
        e);
  }
}
