package dev.ocellus.nativelib;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Unpacked libraries, kept in a directory of the user that all processes share.
 *
 * <p>A package becomes visible under its final name only when it is complete and its hashes are
 * right. Later starts compare sizes and times with those noted in a marker file; whatever deviates
 * is hashed, and replaced if its content is not the manifest's. A file lock lets one process do the
 * work while the others wait. When the directory cannot be used, a private temporary one is.
 */
final class NativeCache {
  /** Where a package's bytes come from. */
  interface Content {
    InputStream open(NativeManifest.Entry entry) throws IOException;
  }

  private static final Logger LOG = System.getLogger("dev.ocellus.nativelib");

  /** File locks exclude other processes only; this one excludes the threads of this process. */
  private static final ReentrantLock IN_PROCESS = new ReentrantLock();

  private final Path root;

  NativeCache(Path root) {
    this.root = root;
  }

  /**
   * The directory that holds the package's files, unpacked if needed.
   *
   * @throws NativeLibraryException if the content is not what the manifest states
   */
  Path unpacked(NativeManifest manifest, Content content) {
    try {
      return shared(manifest, content);
    } catch (IOException e) {
      LOG.log(
          Level.WARNING,
          "cannot use {0} for unpacked files ({1}); using a temporary directory, which makes every start"
              + " slower. Set -D{2} to a directory that you own.",
          root,
          e,
          Settings.CACHE_PROPERTY);
    }
    try {
      return temporary(manifest, content);
    } catch (IOException e) {
      throw new NativeLibraryException(
          "cannot unpack bundled files: neither %s nor the temporary directory %s can be written (%s). They need %d MB; make room, or set -D%s to a directory that can be written."
              .formatted(
                  root,
                  System.getProperty("java.io.tmpdir"),
                  e,
                  megabytes(manifest),
                  Settings.CACHE_PROPERTY),
          e);
    }
  }

  private static long megabytes(NativeManifest manifest) {
    return Math.ceilDiv(
        manifest.files().stream().mapToLong(NativeManifest.Entry::size).sum(), 1_000_000L);
  }

  private Path shared(NativeManifest manifest, Content content) throws IOException {
    Path directory = root.resolve(manifest.directoryName());
    if (Files.isDirectory(directory)) {
      PrivateDirectory.check(root);
      PrivateDirectory.check(directory);
      if (VerifiedMarker.isIntact(directory, manifest)) {
        return directory;
      }
    }
    PrivateDirectory.create(root);
    IN_PROCESS.lock();
    try (FileChannel channel =
            FileChannel.open(
                root.resolve(manifest.directoryName() + ".lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      assert lock.isValid();
      deleteLeftovers(manifest);
      if (!Files.isDirectory(directory)) {
        Files.deleteIfExists(directory); // not a directory, so not ours
        unpackWhole(manifest, content, directory);
      } else if (!VerifiedMarker.isIntact(directory, manifest)) {
        repair(manifest, content, directory);
      }
      return directory;
    } finally {
      IN_PROCESS.unlock();
    }
  }

  private void unpackWhole(NativeManifest manifest, Content content, Path directory)
      throws IOException {
    Path staging = root.resolve(stagingPrefix(manifest) + ProcessHandle.current().pid());
    Files.createDirectory(staging);
    try {
      for (NativeManifest.Entry entry : manifest.files()) {
        write(entry, content, staging.resolve(entry.name()));
      }
      VerifiedMarker.write(staging, manifest);
      move(staging, directory);
    } catch (IOException | RuntimeException e) {
      FileTrees.deleteQuietly(staging);
      throw e;
    }
  }

  /**
   * Rewrites the files whose content is wrong; those in use by other processes stay as they are.
   */
  private static void repair(NativeManifest manifest, Content content, Path directory)
      throws IOException {
    for (NativeManifest.Entry entry : manifest.files()) {
      Path file = directory.resolve(entry.name());
      if (VerifiedMarker.hasContent(file, entry)) {
        continue;
      }
      LOG.log(Level.INFO, "repairing {0}, which is missing or was altered", file);
      // A new file under the old name: processes that have the old one mapped keep it.
      Path fresh = directory.resolve(entry.name() + ".fresh");
      write(entry, content, fresh);
      if (Files.isDirectory(file)) {
        FileTrees.deleteQuietly(file);
      }
      move(fresh, file);
    }
    VerifiedMarker.write(directory, manifest);
  }

  private static Path temporary(NativeManifest manifest, Content content) throws IOException {
    Path directory = Files.createTempDirectory("ocellus-natives-");
    Runtime.getRuntime()
        .addShutdownHook(Thread.ofPlatform().unstarted(() -> FileTrees.deleteQuietly(directory)));
    for (NativeManifest.Entry entry : manifest.files()) {
      write(entry, content, directory.resolve(entry.name()));
    }
    return directory;
  }

  private static void write(NativeManifest.Entry entry, Content content, Path file)
      throws IOException {
    Files.createDirectories(file.getParent());
    MessageDigest sha256 = NativeManifest.newSha256();
    long size = 0;
    try (InputStream in = source(entry, content);
        OutputStream out = Files.newOutputStream(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int n; (n = in.read(buffer)) > 0; ) {
        sha256.update(buffer, 0, n);
        out.write(buffer, 0, n);
        size += n;
      }
    }
    String found = HexFormat.of().formatHex(sha256.digest());
    if (size != entry.size() || !found.equals(entry.sha256())) {
      Files.deleteIfExists(file);
      throw new NativeLibraryException(
          "the bundled file %s is damaged: expected %d bytes with SHA-256 %s, found %d bytes with %s. Rebuild or reinstall Ocellus."
              .formatted(entry.name(), entry.size(), entry.sha256(), size, found));
    }
  }

  /** The bytes of a file; what is wrong with them is no fault of the directory they go to. */
  private static InputStream source(NativeManifest.Entry entry, Content content) {
    try {
      return new FilterInputStream(content.open(entry)) {
        @Override
        public int read(byte[] buffer, int offset, int length) {
          try {
            return super.read(buffer, offset, length);
          } catch (IOException e) {
            throw unreadable(entry, e);
          }
        }
      };
    } catch (IOException e) {
      throw unreadable(entry, e);
    }
  }

  private static NativeLibraryException unreadable(NativeManifest.Entry entry, IOException e) {
    return new NativeLibraryException(
        "the bundled file %s cannot be read (%s): its jar is damaged. Fetch the jar again, or reinstall Ocellus."
            .formatted(entry.name(), e),
        e);
  }

  private static void move(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(from, to, StandardCopyOption.REPLACE_EXISTING); // the lock keeps others away
    }
  }

  /** What a process that died while unpacking left; the lock is held, so none is at work. */
  private void deleteLeftovers(NativeManifest manifest) throws IOException {
    try (var entries = Files.newDirectoryStream(root, stagingPrefix(manifest) + "*")) {
      entries.forEach(FileTrees::deleteQuietly);
    }
  }

  private static String stagingPrefix(NativeManifest manifest) {
    return manifest.directoryName() + ".unpacking-";
  }
}
