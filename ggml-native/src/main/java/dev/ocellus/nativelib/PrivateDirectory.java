package dev.ocellus.nativelib;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;

/**
 * Directories that code may be loaded from: nobody but this user and root can have put files there.
 * Checked where the file system has POSIX owners and permissions.
 */
final class PrivateDirectory {
  private PrivateDirectory() {}

  static void create(Path directory) throws IOException {
    if (isPosix(directory)) {
      Files.createDirectories(
          directory,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } else {
      Files.createDirectories(directory);
    }
    check(directory);
  }

  static void check(Path directory) throws IOException {
    if (!isPosix(directory)) {
      return;
    }
    PosixFileAttributes attributes = Files.readAttributes(directory, PosixFileAttributes.class);
    if (attributes.permissions().contains(PosixFilePermission.OTHERS_WRITE)) {
      throw new IOException(directory + " can be written by every user");
    }
    UserPrincipal owner = attributes.owner();
    if (!owner.getName().equals("root")) {
      UserPrincipal user = currentUser();
      if (!owner.equals(user)) {
        throw new IOException("%s belongs to %s, expected %s".formatted(directory, owner, user));
      }
    }
  }

  private static boolean isPosix(Path path) {
    return path.getFileSystem().supportedFileAttributeViews().contains("posix")
        && !System.getProperty("os.name", "").startsWith("Windows");
  }

  /** By what the process owns: the property user.name is unset or wrong in many containers. */
  private static UserPrincipal currentUser() throws IOException {
    Path process = Path.of("/proc/self");
    if (Files.exists(process)) {
      return Files.getOwner(process.toRealPath());
    }
    Path probe = Files.createTempFile("ocellus-", ".owner");
    try {
      return Files.getOwner(probe);
    } finally {
      Files.delete(probe);
    }
  }
}
