package dev.ocellus.vlm.session;

import dev.ocellus.io.Channels;
import dev.ocellus.io.Sha256;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of a saved session: magic, version, what it belongs to, length and SHA-256 of every
 * section, and SHA-256 of all that. Little-endian, of a fixed size.
 *
 * @param model identity of text model and image encoder
 * @param template hash of the chat template
 * @param stateKind hash of what the keys and values depend on besides the model
 * @param sections in the order of {@link Section}
 */
record SessionHeader(byte[] model, byte[] template, byte[] stateKind, List<Extent> sections) {
  /** Parts of the file. */
  enum Section {
    /** Name of the model, and where the images and videos came from, a line each. */
    INFO(false),
    /** The conversation as JSON, with the images and videos in it. */
    MESSAGES(false),
    /** What stands in the context. */
    ENTRIES(false),
    /** The encoded images that stand in the context. */
    IMAGES(false),
    /** Keys and values, and recurrent states, as libllama writes them. */
    STATE(true),
    /** Recurrent states at places before the end. */
    CHECKPOINTS(true);

    /** Whether it may be large, and is read only where it is used. */
    private final boolean computed;

    Section(boolean computed) {
      this.computed = computed;
    }
  }

  /** Length and hash of a section. */
  record Extent(long length, byte[] hash) {}

  private static final byte[] MAGIC = "OCELSESS".getBytes(StandardCharsets.US_ASCII);
  private static final int VERSION = 3;

  /** What is read at once is decoded to several times its size. */
  private static final int SHARE_OF_MEMORY = 8;

  private static final int HASH = 32;
  private static final int EXTENT = Long.BYTES + HASH;

  /** Bytes of a header. */
  static final int SIZE =
      MAGIC.length + Integer.BYTES + 3 * HASH + Section.values().length * EXTENT + HASH;

  SessionHeader {
    sections = List.copyOf(sections);
  }

  static byte[] hash(String text) {
    return Sha256.digest().digest(text.getBytes(StandardCharsets.UTF_8));
  }

  ByteBuffer write() {
    ByteBuffer out = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
    out.put(MAGIC).putInt(VERSION).put(model).put(template).put(stateKind);
    sections.forEach(section -> out.putLong(section.length).put(section.hash));
    MessageDigest digest = Sha256.digest();
    digest.update(out.array(), 0, out.position());
    return out.put(digest.digest()).flip();
  }

  /**
   * Reads and checks a header and the hash of every section but those of what was computed, for
   * which there is {@link #checkSection}.
   *
   * @throws SessionFormatException if this is no session, or not a whole and unaltered one
   */
  static SessionHeader read(Path file, FileChannel channel) throws IOException {
    long size = channel.size();
    ByteBuffer in = bytes(channel, 0, (int) Math.min(SIZE, size));
    byte[] magic = new byte[Math.min(MAGIC.length, in.remaining())];
    in.get(magic);
    if (!Arrays.equals(magic, MAGIC)) {
      throw new SessionFormatException(
          "%s is not a saved session. A conversation as JSON has a name that ends with .json."
              .formatted(file));
    }
    if (size < SIZE) {
      throw damaged(file, "it ends after %d bytes".formatted(size));
    }
    int version = in.getInt();
    if (version != VERSION) {
      throw new SessionFormatException(
          "%s is a session of version %d, and this release reads version %d. Save the conversation as JSON with the release that wrote it."
              .formatted(file, version, VERSION));
    }
    MessageDigest digest = Sha256.digest();
    digest.update(in.array(), 0, SIZE - HASH);
    if (!Arrays.equals(digest.digest(), Arrays.copyOfRange(in.array(), SIZE - HASH, SIZE))) {
      throw damaged(file, "the checksum of its header is wrong");
    }
    SessionHeader header = new SessionHeader(take(in), take(in), take(in), extents(in));
    header.checkSections(file, channel);
    return header;
  }

  private static List<Extent> extents(ByteBuffer in) {
    List<Extent> extents = new ArrayList<>();
    for (int i = 0; i < Section.values().length; i++) {
      extents.add(new Extent(in.getLong(), take(in)));
    }
    return extents;
  }

  private static byte[] take(ByteBuffer in) {
    byte[] hash = new byte[HASH];
    in.get(hash);
    return hash;
  }

  /** Checks lengths, and checksums of all but what was computed, which may be much and unused. */
  private void checkSections(Path file, FileChannel channel) throws IOException {
    long left = channel.size() - SIZE;
    long max = Runtime.getRuntime().maxMemory() / SHARE_OF_MEMORY;
    for (Section section : Section.values()) {
      long length = length(section);
      if (length < 0 || length > left) {
        throw damaged(file, "the part %s is cut short".formatted(section));
      }
      if (!section.computed && length > max) {
        throw new SessionFormatException(
            "%s: the part %s has %d bytes, and at most %d can be read with this much memory. Nothing was changed; give Java more (-Xmx)."
                .formatted(file, section, length, max));
      }
      left -= length;
    }
    if (left > 0) {
      throw damaged(file, "it has %d bytes too many".formatted(left));
    }
    for (Section section : Section.values()) {
      if (!section.computed) {
        checkSection(file, channel, section);
      }
    }
  }

  /**
   * Checks the hash of a section.
   *
   * @throws SessionFormatException if it is another
   */
  void checkSection(Path file, FileChannel channel, Section section) throws IOException {
    MessageDigest digest = Sha256.digest();
    long end = offset(section) + length(section);
    for (long from = offset(section); from < end; ) {
      int n = (int) Math.min(1 << 20, end - from);
      digest.update(bytes(channel, from, n));
      from += n;
    }
    if (!Arrays.equals(digest.digest(), sections.get(section.ordinal()).hash)) {
      throw damaged(file, "the checksum of the part %s is wrong".formatted(section));
    }
  }

  /** Where a section begins. */
  long offset(Section section) {
    return SIZE + sections.subList(0, section.ordinal()).stream().mapToLong(Extent::length).sum();
  }

  long length(Section section) {
    return sections.get(section.ordinal()).length;
  }

  /** The bytes of a section, which is not larger than a buffer can be. */
  ByteBuffer section(Path file, FileChannel channel, Section section) throws IOException {
    if (length(section) > Integer.MAX_VALUE - 8) {
      throw damaged(file, "the part %s has %d bytes".formatted(section, length(section)));
    }
    return bytes(channel, offset(section), (int) length(section)).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer bytes(FileChannel channel, long from, int n) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(n).order(ByteOrder.LITTLE_ENDIAN);
    Channels.read(channel, from, bytes);
    return bytes.flip();
  }

  private static SessionFormatException damaged(Path file, String what) {
    return damaged(file, what, null);
  }

  static SessionFormatException damaged(Path file, String what, @Nullable Throwable cause) {
    return new SessionFormatException(
        "%s is a damaged session: %s. Nothing was changed; go on from an older copy."
            .formatted(file, what),
        cause);
  }
}
