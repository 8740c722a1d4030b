package dev.ocellus.gguf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.ocellus.io.ForeignFile;
import dev.ocellus.io.MappedFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import org.jspecify.annotations.Nullable;

/** One mapped and parsed file, and how it looked when it was opened. */
record MappedGguf(Path path, MemorySegment data, GgufParser.Header header, FileTime modified) {

  private static final String KIND = ".gguf";
  private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};

  /**
   * Maps and validates a file.
   *
   * @throws IOException if there is no such file or it cannot be read
   * @throws GgufFormatException if it is not a valid GGUF file
   */
  static MappedGguf open(Path path, Arena arena) throws IOException {
    BasicFileAttributes attributes = MappedFile.attributes(path, KIND);
    try {
      MemorySegment data = MappedFile.map(path, KIND, arena);
      checkMagic(path, data);
      return new MappedGguf(
          path, data, GgufParser.parse(path, data), attributes.lastModifiedTime());
    } catch (InternalError e) {
      // The JVM turns the SIGBUS of a mapped page that is gone into this error.
      throw changed(path, e);
    }
  }

  private static void checkMagic(Path path, MemorySegment data) {
    long size = data.byteSize();
    if (size == 0) {
      throw new GgufFormatException(
          path, 0, "file", "a GGUF file", "an empty file", "Download or convert it again.");
    }
    byte[] head = data.asSlice(0, Math.min(size, ForeignFile.HEAD_BYTES)).toArray(JAVA_BYTE);
    for (int i = 0; i < Math.min(MAGIC.length, head.length); i++) {
      if (head[i] != MAGIC[i]) {
        ForeignFile.Description foreign = FileKind.describe(head, size);
        throw new GgufFormatException(
            path, 0, "magic", "'GGUF'", foreign.found(), foreign.remedy());
      }
    }
    if (size < MAGIC.length) {
      throw new GgufFormatException(
          path,
          size,
          "magic",
          "'GGUF'",
          "only " + size + " bytes",
          "The file is cut short; download it again.");
    }
  }

  /** Throws if the file on disk no longer is what was mapped. */
  void checkUnchanged() throws IOException {
    BasicFileAttributes now = MappedFile.attributes(path, KIND);
    if (now.size() != data.byteSize() || !now.lastModifiedTime().equals(modified)) {
      throw changed(path, null);
    }
  }

  private static GgufFormatException changed(Path path, @Nullable Throwable cause) {
    return new GgufFormatException(
        path,
        GgufFormatException.NOWHERE,
        "file",
        "that it stays as it is while in use",
        "that it was changed or truncated by another program",
        "Open it again when it is complete; replace a model by renaming a new file over it.",
        cause);
  }
}
