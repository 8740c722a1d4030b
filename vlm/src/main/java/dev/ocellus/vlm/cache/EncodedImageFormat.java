package dev.ocellus.vlm.cache;

import dev.ocellus.io.Sha256;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An encoded image as bytes: magic and version, the key that it was stored under, sizes, layout,
 * rows (all little-endian), and SHA-256 over everything before it.
 */
public final class EncodedImageFormat {
  private static final byte[] MAGIC = "OCELIMG2".getBytes(StandardCharsets.US_ASCII);
  private static final int KEY_BYTES = 32;
  private static final int HASH_BYTES = 32;
  private static final byte TEXT = 0;
  private static final byte ROWS = 1;
  private static final byte NUMBERED = 2;

  private EncodedImageFormat() {}

  /**
   * Writes an image.
   *
   * @param key SHA-256 in hex
   */
  public static byte[] write(String key, EncodedImage image) {
    List<byte[]> texts = new ArrayList<>();
    long size = MAGIC.length + KEY_BYTES + 12L + 4L * image.values().length + HASH_BYTES;
    for (ImagePiece piece : image.layout()) {
      byte[] text =
          piece instanceof ImagePiece.Text t
              ? t.text().getBytes(StandardCharsets.UTF_8)
              : new byte[0];
      texts.add(text);
      size +=
          1
              + (piece instanceof ImagePiece.Embeddings rows
                  ? 16 + 4L * rows.times().size()
                  : 4 + text.length);
    }
    ByteBuffer out =
        ByteBuffer.allocate(Math.toIntExact(size)).order(ByteOrder.LITTLE_ENDIAN).put(MAGIC);
    out.put(HexFormat.of().parseHex(key));
    out.putInt(image.width()).putInt(image.nTokens()).putInt(image.layout().size());
    for (int i = 0; i < texts.size(); i++) {
      switch (image.layout().get(i)) {
        case ImagePiece.Text text -> out.put(TEXT).putInt(texts.get(i).length).put(texts.get(i));
        case ImagePiece.Embeddings rows -> {
          out.put(rows.numbered() ? NUMBERED : ROWS)
              .putInt(rows.count())
              .putInt(rows.gridX())
              .putInt(rows.gridY());
          out.putInt(rows.times().size());
          rows.times().forEach(out::putInt);
        }
      }
    }
    out.asFloatBuffer().put(image.values());
    out.position(out.position() + 4 * image.values().length);
    out.put(sha256(out.array(), out.position()));
    return out.array();
  }

  /**
   * Reads an image.
   *
   * @return null if these are not the whole and unaltered bytes of an image under this key
   */
  public static @Nullable EncodedImage read(String key, byte[] bytes) {
    int length = bytes.length - HASH_BYTES;
    if (length < MAGIC.length + KEY_BYTES
        || !Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)
        || !Arrays.equals(sha256(bytes, length), Arrays.copyOfRange(bytes, length, bytes.length))) {
      return null;
    }
    ByteBuffer in =
        ByteBuffer.wrap(bytes, MAGIC.length, length - MAGIC.length).order(ByteOrder.LITTLE_ENDIAN);
    byte[] stored = new byte[KEY_BYTES];
    in.get(stored);
    if (!HexFormat.of().formatHex(stored).equals(key)) {
      return null;
    }
    try {
      return body(in);
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return null; // written by somebody else, since the hash is right
    }
  }

  private static ImagePiece.Embeddings rows(ByteBuffer in, boolean numbered) {
    int count = in.getInt();
    int gridX = in.getInt();
    int gridY = in.getInt();
    int nTimes = in.getInt();
    if (nTimes < 0 || nTimes > in.remaining() / 4) {
      throw new IllegalArgumentException("times of rows");
    }
    List<Integer> times = new ArrayList<>();
    for (int i = 0; i < nTimes; i++) {
      times.add(in.getInt());
    }
    return new ImagePiece.Embeddings(count, gridX, gridY, times, numbered);
  }

  private static @Nullable EncodedImage body(ByteBuffer in) {
    int width = in.getInt();
    int nTokens = in.getInt();
    int nPieces = in.getInt();
    if (width < 1 || nTokens < 0 || nPieces < 0 || nPieces > in.remaining()) {
      return null;
    }
    List<ImagePiece> layout = new ArrayList<>();
    for (int i = 0; i < nPieces; i++) {
      byte kind = in.get();
      if (kind == ROWS || kind == NUMBERED) {
        layout.add(rows(in, kind == NUMBERED));
      } else {
        int n = in.getInt();
        if (kind != TEXT || n < 0 || n > in.remaining()) {
          return null;
        }
        byte[] text = new byte[n];
        in.get(text);
        layout.add(new ImagePiece.Text(new String(text, StandardCharsets.UTF_8)));
      }
    }
    if (in.remaining() != 4L * width * nTokens) {
      return null;
    }
    float[] rows = new float[width * nTokens];
    in.asFloatBuffer().get(rows);
    return new EncodedImage(rows, nTokens, width, layout);
  }

  private static byte[] sha256(byte[] bytes, int length) {
    MessageDigest digest = Sha256.digest();
    digest.update(bytes, 0, length);
    return digest.digest();
  }
}
