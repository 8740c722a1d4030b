package dev.ocellus.vlm.session;

import dev.ocellus.vlm.cache.EncodedImageFormat;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.decode.ContextEntry;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands in the context of a saved session, to and from bytes: the encoded images, and the
 * entries, which are tokens and pieces of those images.
 *
 * <p>Entries say which piece of which image they are and nothing more about it, so that nothing has
 * to be compared.
 */
final class SessionEntries {
  /** Positions are added to, and stay far from where integers end. */
  private static final long MAX_POSITION = 1L << 30;

  private static final byte TOKEN = 0;
  private static final byte IMAGE = 1;

  private SessionEntries() {}

  /** An image of the context, with its key. */
  private record Keyed(String key, EncodedImage image) {}

  static byte[] write(List<ContextEntry> entries) throws IOException {
    List<String> keys = List.copyOf(images(entries).keySet());
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(entries.size());
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token(int id) -> {
          out.writeByte(TOKEN);
          out.writeInt(id);
        }
        case ContextEntry.Image image -> {
          out.writeByte(IMAGE);
          out.writeInt(keys.indexOf(image.key()));
          out.writeInt(pieceAt(image.image(), image.from()));
        }
      }
    }
    return bytes.toByteArray();
  }

  private static int pieceAt(EncodedImage image, int row) {
    int at = 0;
    for (int i = 0; i < image.layout().size(); i++) {
      if (image.layout().get(i) instanceof ImagePiece.Embeddings rows) {
        if (at == row) {
          return i;
        }
        at += rows.count();
      }
    }
    throw new IllegalStateException("position %d of an image begins no piece of it".formatted(row));
  }

  private static Map<String, EncodedImage> images(List<ContextEntry> entries) {
    Map<String, EncodedImage> images = new LinkedHashMap<>();
    for (ContextEntry entry : entries) {
      if (entry instanceof ContextEntry.Image image) {
        images.putIfAbsent(image.key(), image.image());
      }
    }
    return images;
  }

  static byte[] writeImages(List<ContextEntry> entries) throws IOException {
    Map<String, EncodedImage> images = images(entries);
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(images.size());
    for (Map.Entry<String, EncodedImage> image : images.entrySet()) {
      byte[] key = image.getKey().getBytes(StandardCharsets.UTF_8);
      byte[] encoded =
          EncodedImageFormat.write(ImageCache.sha256(image.getKey()), image.getValue());
      out.writeInt(key.length);
      out.write(key);
      out.writeInt(encoded.length);
      out.write(encoded);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads entries.
   *
   * @param images as {@link #writeImages} wrote them
   * @param nTokens tokens of the vocabulary
   * @param width floats of a row
   * @throws IOException if the bytes end too early or mean nothing, or for what this model could
   *     not compute
   */
  static List<ContextEntry> read(byte[] entries, byte[] images, int nTokens, int width)
      throws IOException {
    List<Keyed> known = readImages(images, width);
    var in = new DataInputStream(new ByteArrayInputStream(entries));
    int n = in.readInt();
    List<ContextEntry> read = new ArrayList<>();
    long position = 0;
    for (int i = 0; i < n; i++) {
      ContextEntry entry = entry(in, known, nTokens);
      position += entry.positions();
      if (position > MAX_POSITION) {
        throw new IOException("entry %d at position %d".formatted(i, position));
      }
      read.add(entry);
    }
    requireEnd(in, "entries");
    return read;
  }

  private static ContextEntry entry(DataInputStream in, List<Keyed> images, int nTokens)
      throws IOException {
    byte kind = in.readByte();
    int id = in.readInt();
    if (kind == TOKEN) {
      if (id < 0 || id >= nTokens) {
        throw new IOException("token %d of %d".formatted(id, nTokens));
      }
      return new ContextEntry.Token(id);
    }
    int piece = in.readInt();
    if (kind != IMAGE || id < 0 || id >= images.size()) {
      throw new IOException(
          "an entry of kind %d for image %d of %d".formatted(kind, id, images.size()));
    }
    Keyed image = images.get(id);
    List<ImagePiece> layout = image.image.layout();
    if (piece < 0
        || piece >= layout.size()
        || !(layout.get(piece) instanceof ImagePiece.Embeddings rows)) {
      throw new IOException("piece %d of an image, which has no embeddings there".formatted(piece));
    }
    int from =
        layout.subList(0, piece).stream()
            .mapToInt(before -> before instanceof ImagePiece.Embeddings r ? r.count() : 0)
            .sum();
    return new ContextEntry.Image(image.key, image.image, from, rows);
  }

  private static List<Keyed> readImages(byte[] bytes, int width) throws IOException {
    Map<String, Keyed> images = new HashMap<>();
    List<Keyed> inOrder = new ArrayList<>();
    var in = new DataInputStream(new ByteArrayInputStream(bytes));
    int n = in.readInt();
    for (int i = 0; i < n; i++) {
      String key = new String(block(in), StandardCharsets.UTF_8);
      EncodedImage image = EncodedImageFormat.read(ImageCache.sha256(key), block(in));
      if (image == null) {
        throw new IOException("image %d is damaged".formatted(i));
      }
      if (image.width() != width) {
        throw new IOException(
            "image %d has embeddings of %d floats, and the model takes %d"
                .formatted(i, image.width(), width));
      }
      for (float value : image.values()) {
        if (!Float.isFinite(value)) {
          throw new IOException("image %d holds the number %s".formatted(i, value));
        }
      }
      Keyed keyed = new Keyed(key, image);
      if (images.put(key, keyed) != null) {
        throw new IOException("image %d is there twice".formatted(i));
      }
      inOrder.add(keyed);
    }
    requireEnd(in, "images");
    return inOrder;
  }

  private static byte[] block(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new IOException("a block of %d bytes".formatted(length));
    }
    return in.readNBytes(length);
  }

  private static void requireEnd(DataInputStream in, String what) throws IOException {
    if (in.available() > 0) {
      throw new IOException("%d bytes behind the %s".formatted(in.available(), what));
    }
  }
}
