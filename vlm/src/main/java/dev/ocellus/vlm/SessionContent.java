package dev.ocellus.vlm;

import dev.ocellus.vlm.cache.EncodedImage;
import dev.ocellus.vlm.cache.EncodedImageFormat;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesJson;
import dev.ocellus.vlm.model.ImagePiece;
import dev.ocellus.vlm.model.UnsupportedContentException;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The parts of a saved session that are not keys and values, to and from bytes. */
final class SessionContent {
  private static final byte TOKEN = 0;
  private static final byte PICTURE = 1;

  private SessionContent() {}

  /** Name of the model, and the sources of the pictures, a line each. */
  static byte[] info(String model, List<Message> messages) {
    StringBuilder info = new StringBuilder(oneLine(model));
    for (Message message : messages) {
      for (Content part : message.content()) {
        if (part instanceof Content.Image image) {
          info.append('\n').append(oneLine(image.source()));
        }
      }
    }
    return info.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\R", " ");
  }

  /**
   * The conversation with its pictures inside, so that it does not need the files any more.
   *
   * @throws UnsupportedContentException if there is a video in it
   */
  static byte[] messages(List<Message> messages) {
    if (messages.stream()
        .flatMap(m -> m.content().stream())
        .anyMatch(p -> p instanceof Content.Video)) {
      throw new UnsupportedContentException(
          "A conversation with a video is not saved with its context. Save its messages as JSON, which name the video's file.");
    }
    List<Message> inline =
        messages.stream()
            .map(message ->
                new Message(
                    message.role(),
                    message.content().stream().map(part -> withSource(part, "")).toList()))
            .toList();
    return MessagesJson.write(inline).getBytes(StandardCharsets.UTF_8);
  }

  private static Content withSource(Content part, String source) {
    return part instanceof Content.Image image ? new Content.Image(image.image(), source) : part;
  }

  static List<Message> readMessages(byte[] json, List<String> sources) throws IOException {
    String text = new String(json, StandardCharsets.UTF_8);
    if (text.replaceAll("\\s", "").equals("[]")) {
      return List.of();
    }
    Iterator<String> source = sources.iterator();
    List<Message> messages = new ArrayList<>();
    for (Message message : MessagesJson.parse(text, ImageLoader.inlineOnly(ImageLimits.DEFAULT))) {
      List<Content> parts = new ArrayList<>();
      for (Content part : message.content()) {
        boolean picture = part instanceof Content.Image;
        parts.add(picture && source.hasNext() ? withSource(part, source.next()) : part);
      }
      messages.add(new Message(message.role(), parts));
    }
    return messages;
  }

  static byte[] entries(List<ContextEntry> entries) throws IOException {
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
          writeText(out, picture.key());
          out.writeInt(picture.from());
          out.writeInt(picture.rows().count());
          out.writeInt(picture.rows().gridX());
          out.writeInt(picture.rows().gridY());
        }
      }
    }
    return bytes.toByteArray();
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static String readText(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 0 || length > in.available()) {
      throw new IOException("a text of %d bytes".formatted(length));
    }
    return new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }

  static byte[] pictures(List<ContextEntry> entries) throws IOException {
    Map<String, EncodedImage> pictures = new LinkedHashMap<>();
    for (ContextEntry entry : entries) {
      if (entry instanceof ContextEntry.Picture picture) {
        pictures.put(picture.key(), picture.image());
      }
    }
    var bytes = new ByteArrayOutputStream();
    var out = new DataOutputStream(bytes);
    out.writeInt(pictures.size());
    for (Map.Entry<String, EncodedImage> picture : pictures.entrySet()) {
      byte[] encoded =
          EncodedImageFormat.write(ImageCache.sha256(picture.getKey()), picture.getValue());
      writeText(out, picture.getKey());
      out.writeInt(encoded.length);
      out.write(encoded);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads pictures.
   *
   * @throws IOException if the bytes end too early or mean nothing
   */
  static Map<String, EncodedImage> readPictures(InputStream bytes) throws IOException {
    Map<String, EncodedImage> pictures = new HashMap<>();
    var in = new DataInputStream(bytes);
    int n = in.readInt();
    for (int i = 0; i < n; i++) {
      String key = readText(in);
      int length = in.readInt();
      if (length < 0 || length > in.available()) {
        throw new IOException("a picture of %d bytes".formatted(length));
      }
      EncodedImage image = EncodedImageFormat.read(ImageCache.sha256(key), in.readNBytes(length));
      if (image == null) {
        throw new IOException("a damaged picture");
      }
      pictures.put(key, image);
    }
    return pictures;
  }

  /**
   * Reads entries.
   *
   * @param nTokens tokens of the vocabulary
   * @throws IOException if the bytes end too early or mean nothing
   */
  static List<ContextEntry> readEntries(
      InputStream bytes, Map<String, EncodedImage> pictures, int nTokens) throws IOException {
    var in = new DataInputStream(bytes);
    int n = in.readInt();
    List<ContextEntry> entries = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      byte kind = in.readByte();
      if (kind == TOKEN) {
        int id = in.readInt();
        if (id < 0 || id >= nTokens) {
          throw new IOException("token %d of %d".formatted(id, nTokens));
        }
        entries.add(new ContextEntry.Token(id));
        continue;
      }
      String key = readText(in);
      EncodedImage image = pictures.get(key);
      int from = in.readInt();
      ImagePiece.Rows rows = readRows(in);
      if (kind != PICTURE || image == null || !fits(image, from, rows)) {
        throw new IOException("rows of a picture that it does not have");
      }
      entries.add(new ContextEntry.Picture(key, image, from, rows));
    }
    return entries;
  }

  private static ImagePiece.Rows readRows(DataInputStream in) throws IOException {
    int count = in.readInt();
    int gridX = in.readInt();
    int gridY = in.readInt();
    try {
      return new ImagePiece.Rows(count, gridX, gridY, gridX == 0 ? List.of() : List.of(0));
    } catch (IllegalArgumentException e) {
      throw new IOException("rows of a picture that cannot be: " + e.getMessage(), e);
    }
  }

  private static boolean fits(EncodedImage image, int from, ImagePiece.Rows rows) {
    return from >= 0
        && rows.count() > 0
        && rows.gridX() >= 0
        && rows.gridY() >= 0
        && (long) from + rows.count() <= image.nTokens();
  }
}
