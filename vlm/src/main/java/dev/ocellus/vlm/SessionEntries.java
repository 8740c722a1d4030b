package dev.ocellus.vlm;

import dev.ocellus.vlm.cache.EncodedImage;
import dev.ocellus.vlm.cache.EncodedImageFormat;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.model.ImagePiece;
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
 * What stands in the context of a saved session, to and from bytes: the encoded pictures, and the
 * entries, which are tokens and pieces of those pictures.
 *
 * <p>Entries say which piece of which picture they are and nothing more about it, so that nothing
 * has to be compared.
 */
final class SessionEntries {
  /** Positions are added to, and stay far from where integers end. */
  private static final long MAX_POSITION = 1L << 30;

  private static final byte TOKEN = 0;
  private static final byte PICTURE = 1;

  private SessionEntries() {}

  /** A picture of the context, with its key. */
  private record Keyed(String key, EncodedImage image) {}

  static byte[] write(List<ContextEntry> entries) throws IOException {
    List<String> keys = List.copyOf(pictures(entries).keySet());
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(entries.size());
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token(int id) -> {
          out.writeByte(TOKEN);
          out.writeInt(id);
        }
        case ContextEntry.Picture picture -> {
          out.writeByte(PICTURE);
          out.writeInt(keys.indexOf(picture.key()));
          out.writeInt(pieceAt(picture.image(), picture.from()));
        }
      }
    }
    return bytes.toByteArray();
  }

  private static int pieceAt(EncodedImage image, int row) {
    int at = 0;
    for (int i = 0; i < image.layout().size(); i++) {
      if (image.layout().get(i) instanceof ImagePiece.Rows rows) {
        if (at == row) {
          return i;
        }
        at += rows.count();
      }
    }
    throw new IllegalStateException("row %d of a picture begins no piece of it".formatted(row));
  }

  private static Map<String, EncodedImage> pictures(List<ContextEntry> entries) {
    Map<String, EncodedImage> pictures = new LinkedHashMap<>();
    for (ContextEntry entry : entries) {
      if (entry instanceof ContextEntry.Picture picture) {
        pictures.putIfAbsent(picture.key(), picture.image());
      }
    }
    return pictures;
  }

  static byte[] writePictures(List<ContextEntry> entries) throws IOException {
    Map<String, EncodedImage> pictures = pictures(entries);
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(pictures.size());
    for (Map.Entry<String, EncodedImage> picture : pictures.entrySet()) {
      byte[] key = picture.getKey().getBytes(StandardCharsets.UTF_8);
      byte[] encoded =
          EncodedImageFormat.write(ImageCache.sha256(picture.getKey()), picture.getValue());
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
   * @param pictures as {@link #writePictures} wrote them
   * @param nTokens tokens of the vocabulary
   * @param width floats of a row
   * @throws IOException if the bytes end too early or mean nothing, or for what this model could
   *     not compute
   */
  static List<ContextEntry> read(byte[] entries, byte[] pictures, int nTokens, int width)
      throws IOException {
    List<Keyed> known = readPictures(pictures, width);
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

  private static ContextEntry entry(DataInputStream in, List<Keyed> pictures, int nTokens)
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
    if (kind != PICTURE || id < 0 || id >= pictures.size()) {
      throw new IOException(
          "an entry of kind %d for picture %d of %d".formatted(kind, id, pictures.size()));
    }
    Keyed picture = pictures.get(id);
    List<ImagePiece> layout = picture.image.layout();
    if (piece < 0
        || piece >= layout.size()
        || !(layout.get(piece) instanceof ImagePiece.Rows rows)) {
      throw new IOException("piece %d of a picture, which has no rows there".formatted(piece));
    }
    int from =
        layout.subList(0, piece).stream()
            .mapToInt(before -> before instanceof ImagePiece.Rows r ? r.count() : 0)
            .sum();
    return new ContextEntry.Picture(picture.key, picture.image, from, rows);
  }

  private static List<Keyed> readPictures(byte[] bytes, int width) throws IOException {
    Map<String, Keyed> pictures = new HashMap<>();
    List<Keyed> inOrder = new ArrayList<>();
    var in = new DataInputStream(new ByteArrayInputStream(bytes));
    int n = in.readInt();
    for (int i = 0; i < n; i++) {
      String key = new String(block(in), StandardCharsets.UTF_8);
      EncodedImage image = EncodedImageFormat.read(ImageCache.sha256(key), block(in));
      if (image == null) {
        throw new IOException("picture %d is damaged".formatted(i));
      }
      if (image.width() != width) {
        throw new IOException(
            "picture %d has rows of %d floats, and the model takes %d"
                .formatted(i, image.width(), width));
      }
      for (float value : image.rows()) {
        if (!Float.isFinite(value)) {
          throw new IOException("picture %d holds the number %s".formatted(i, value));
        }
      }
      Keyed picture = new Keyed(key, image);
      if (pictures.put(key, picture) != null) {
        throw new IOException("picture %d is there twice".formatted(i));
      }
      inOrder.add(picture);
    }
    requireEnd(in, "pictures");
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
