package dev.ocellus.spark;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.security.PrivilegedExceptionAction;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.UnsupportedFileSystemException;
import org.apache.hadoop.security.UserGroupInformation;

/**
 * Reads files of Hadoop's file systems, as the user whose task it is, whichever thread reads. Their
 * lengths are compared with the limit first.
 */
final class ImageFiles {
  private final Configuration configuration;
  private final ImageLimits limits;
  private final UserGroupInformation user;

  /** For the user of the thread that makes this. */
  ImageFiles(Configuration configuration, ImageLimits limits) throws IOException {
    this.configuration = configuration;
    this.limits = limits;
    this.user = UserGroupInformation.getCurrentUser();
  }

  ImageLimits limits() {
    return limits;
  }

  /**
   * The bytes of a file.
   *
   * @throws ImageFormatException if it is too long
   * @throws IOException if it cannot be read
   */
  byte[] read(String uri) throws IOException, InterruptedException {
    Path path;
    try {
      path = new Path(uri);
    } catch (IllegalArgumentException e) {
      throw new RowFailure.Thrown(
          ErrorCode.BAD_URI, "'%s' is no path: %s".formatted(uri, e.getMessage()), e);
    }
    return user.doAs((PrivilegedExceptionAction<byte[]>) () -> read(path));
  }

  private byte[] read(Path path) throws IOException {
    FileSystem files = fileSystem(path);
    FileStatus status = files.getFileStatus(path);
    if (status.isDirectory()) {
      throw new FileNotFoundException(path + " is a directory");
    }
    try {
      limits.checkBytes(status.getLen());
      try (InputStream in = files.open(path)) {
        // it may have grown meanwhile
        byte[] bytes = in.readNBytes((int) Math.min(limits.maxBytes() + 1, Integer.MAX_VALUE - 8));
        limits.checkBytes(bytes.length);
        return bytes;
      }
    } catch (ImageFormatException e) {
      throw e.in(path.toString());
    }
  }

  private FileSystem fileSystem(Path path) throws IOException {
    try {
      return path.getFileSystem(configuration);
    } catch (UnsupportedFileSystemException e) {
      throw new RowFailure.Thrown(ErrorCode.BAD_URI, "'%s': %s".formatted(path, e.getMessage()), e);
    }
  }
}
