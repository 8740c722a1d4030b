package dev.ocellus.vlm.image.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFormatException.Kind;
import dev.ocellus.vlm.image.ImageFrame;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.TestImages;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ImageDecoderTest {
  private static final ImageLimits LIMITS = ImageLimits.DEFAULT;

  @Test
  void hasThePixelsOfPillowForEveryFormat() {
    SoftAssertions softly = new SoftAssertions();
    for (String[] row : TestImages.table("codec/formats.tsv")) {
      String[] name = row[0].split("#", -1);
      byte[] file = TestImages.format(name[0]);
      if (name.length == 1) {
        softly
            .assertThat(ImageDecoder.decode(file, LIMITS).contentHash())
            .as(row[0])
            .isEqualTo(row[1]);
      } else {
        ImageFrame frame = ImageDecoder.decodeFrames(file, LIMITS).get(Integer.parseInt(name[1]));
        softly.assertThat(frame.image().contentHash()).as(row[0]).isEqualTo(row[1]);
        softly.assertThat(frame.duration()).as(row[0]).hasMillis(Integer.parseInt(row[2]));
      }
    }
    softly.assertAll();
  }

  @Test
  void hasThePixelsOfPillowForEveryLayoutOfEveryFormat() {
    Map<String, byte[]> files = TestImages.archive("codec/variants.zip");
    Map<String, String> hashes = new TreeMap<>();
    TestImages.table("codec/variants.tsv").forEach(row -> hashes.put(row[0], row[1]));
    assertThat(files).hasSizeGreaterThan(700).containsOnlyKeys(hashes.keySet());
    SoftAssertions softly = new SoftAssertions();
    files.forEach(
        (name, file) -> softly.assertThat(hash(file)).as(name).isEqualTo(hashes.get(name)));
    softly.assertAll();
  }

  private static String hash(byte[] file) {
    try {
      return ImageDecoder.decode(file, LIMITS).contentHash();
    } catch (ImageFormatException e) {
      return e.toString();
    }
  }

  @Test
  void hasThePixelsOfTheReferenceImages() throws IOException {
    List<String[]> rows = TestImages.table(TestImages.GOLDEN.resolve("rgb.tsv"));
    assertThat(rows).hasSize(22);
    for (String[] row : rows) {
      RgbImage image = ImageDecoder.decode(TestImages.GOLDEN.resolve(row[0]));
      assertThat(image.contentHash()).as(row[0]).isEqualTo(row[1]);
    }
  }

  @Test
  void readsStreamsAndFilesAlike() throws IOException {
    Path file = TestImages.GOLDEN.resolve("shapes_64x64.png");
    byte[] bytes = TestImages.bytes(file);
    assertThat(ImageDecoder.decode(new ByteArrayInputStream(bytes), LIMITS))
        .isEqualTo(ImageDecoder.decode(file));
    assertThat(ImageDecoder.decodeFrames(file, LIMITS))
        .singleElement()
        .satisfies(frame -> assertThat(frame.duration()).isZero());
  }

  @Test
  void saysWhichFileIsMissing() {
    assertThatThrownBy(() -> ImageDecoder.decode(Path.of("no", "such.png")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void saysWhatAFileIsThatIsNoImage() {
    assertRefused("", Kind.NOT_AN_IMAGE, "empty");
    assertRefused("<!DOCTYPE html><html>", Kind.NOT_AN_IMAGE, "HTML");
    assertRefused("%PDF-1.7", Kind.NOT_AN_IMAGE, "PDF");
    assertRefused("hello", Kind.NOT_AN_IMAGE, "text");
    assertRefused("\0\0\0\u0020ftypisom\0\0", Kind.NOT_AN_IMAGE, "video");
    assertRefused("GGUF\3\0\0\0", Kind.NOT_AN_IMAGE, "GGUF");
    assertRefused("version https://git-lfs.github.com/spec/v1", Kind.NOT_AN_IMAGE, "git lfs pull");
    assertRefused("<?xml version=\"1.0\"?><svg xmlns=\"\">", Kind.UNSUPPORTED, "SVG");
    assertRefused("\0\0\0\u0018ftypheic\0\0", Kind.UNSUPPORTED, "HEIC");
    assertRefused("\0\0\0\u0018ftypavif\0\0", Kind.UNSUPPORTED, "AVIF");
    assertRefused("P6\n1 1\n255\n", Kind.UNSUPPORTED, "PNM");
  }

  private static void assertRefused(String content, Kind kind, String says) {
    assertFails(content.getBytes(StandardCharsets.ISO_8859_1), LIMITS, kind, says);
  }

  private static void assertFails(byte[] file, ImageLimits limits, Kind kind, String says) {
    assertThatThrownBy(() -> ImageDecoder.decode(file, limits))
        .isInstanceOfSatisfying(
            ImageFormatException.class, e -> assertThat(e.kind()).isEqualTo(kind))
        .hasMessageContaining(says);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "s2_64x48.jpg",
        "s2_64x48_progressive.jpg",
        "cmyk_s0_64x48.jpg",
        "type2_8bit.png",
        "type3_4bit_adam7.png",
        "mode_P.gif",
        "mode_RGB.bmp",
        "tiff_lzw.tiff",
        "lossy80.webp",
        "lossless.webp"
      })
  void refusesATruncatedFile(String name) {
    byte[] file = TestImages.format(name);
    // A PNG file that only lacks its end (12 bytes) and checksums (8) has all its rows; Pillow
    // reads
    // it too.
    int end = file.length - (name.endsWith(".png") ? 20 : 2);
    for (int length = 12; length < end; length += 1 + file.length / 60) {
      byte[] part = Arrays.copyOf(file, length);
      assertThatThrownBy(() -> ImageDecoder.decode(part, LIMITS))
          .as("%s cut to %d of %d bytes", name, length, file.length)
          .isInstanceOfSatisfying(
              ImageFormatException.class,
              e -> assertThat(e.kind()).isIn(Kind.TRUNCATED, Kind.CORRUPT));
    }
  }

  @Test
  void checksTheSizeInTheHeaderBeforeDecoding() {
    byte[] png = TestImages.format("type2_8bit.png");
    ByteBuffer.wrap(png).putInt(16, 60_000).putInt(20, 60_000);
    TestImages.fixCrc(png, 12, 17);
    assertFails(png, LIMITS, Kind.TOO_LARGE, "60000x60000");

    byte[] jpeg = TestImages.format("gray_64x48.jpg");
    int frame = TestImages.indexOf(jpeg, 0xFF, 0xC0);
    ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 65_000).putShort(frame + 7, (short) 65_000);
    assertFails(jpeg, LIMITS, Kind.TOO_LARGE, "65000x65000");

    byte[] bmp = TestImages.format("mode_RGB.bmp");
    ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN).putInt(18, 50_000).putInt(22, 50_000);
    assertFails(bmp, LIMITS, Kind.TOO_LARGE, "50000x50000");

    byte[] gif = TestImages.format("mode_P.gif");
    ByteBuffer.wrap(gif).order(ByteOrder.LITTLE_ENDIAN).putInt(6, 0xFFFFFFFF);
    assertFails(gif, LIMITS, Kind.TOO_LARGE, "65535x65535");

    byte[] photo = TestImages.format("lossy_large.webp");
    assertFails(photo, LIMITS.withMaxPixels(150 * 101 - 1), Kind.TOO_LARGE, "150x101");
    assertThat(ImageDecoder.decode(photo, LIMITS.withMaxPixels(150 * 101)).width()).isEqualTo(150);
  }

  @Test
  void refusesAFileLongerThanAllowed() {
    byte[] file = TestImages.format("mode_RGB.bmp");
    assertFails(file, LIMITS.withMaxBytes(file.length - 1), Kind.TOO_LARGE, "bytes allowed");
    assertThatThrownBy(() ->
            ImageDecoder.decode(
                new ByteArrayInputStream(file), LIMITS.withMaxBytes(file.length - 1)))
        .isInstanceOf(ImageFormatException.class);
  }

  @Test
  void limitsTheFramesOfAnAnimation() {
    byte[] file = TestImages.format("animation_P_disposal0.gif");
    ImageLimits three = new ImageLimits(1 << 20, 1 << 20, 1000, 3);
    assertThatThrownBy(() -> ImageDecoder.decodeFrames(file, three))
        .hasMessageContaining("more than the 3 frames");
    ImageLimits pixels = new ImageLimits(1 << 20, 30 * 22 * 3, 1000, 1000);
    assertThatThrownBy(() -> ImageDecoder.decodeFrames(file, pixels))
        .hasMessageContaining("together");
    assertThat(ImageDecoder.decode(file, pixels).width()).isEqualTo(30);
  }

  @Test
  void refusesAnImageWithoutPixels() {
    byte[] png = TestImages.format("type2_8bit.png");
    ByteBuffer.wrap(png).putInt(16, 0);
    TestImages.fixCrc(png, 12, 17);
    assertFails(png, LIMITS, Kind.CORRUPT, "0x13");
  }

  @Test
  void refusesAPngWithABrokenChecksum() {
    byte[] header = TestImages.format("type2_8bit.png");
    header[29] ^= 1;
    assertFails(header, LIMITS, Kind.CORRUPT, "IHDR");
  }

  @Test
  void refusesAProgressiveJpegThatRepeatsItsScansForever() {
    byte[] file = TestImages.format("s2_64x48_progressive.jpg");
    int scan = TestImages.indexOf(file, 0xFF, 0xDA);
    byte[] header = Arrays.copyOf(file, scan);
    int frame = TestImages.indexOf(header, 0xFF, 0xC2);
    ByteBuffer.wrap(header).putShort(frame + 5, (short) 9999).putShort(frame + 7, (short) 9999);
    byte[] empty = {(byte) 0xFF, (byte) 0xDA, 0, 12, 3, 1, 0, 2, 17, 3, 17, 0, 0, 1};
    ByteBuffer bomb = ByteBuffer.allocate(header.length + 1000 * empty.length + 2);
    bomb.put(header);
    for (int i = 0; i < 1000; i++) {
      bomb.put(empty);
    }
    bomb.put((byte) 0xFF).put((byte) 0xD9);
    assertFails(bomb.array(), LIMITS, Kind.CORRUPT, "1000 scans");
  }

  @Test
  void refusesATiffOfTilesThatAreMadeToTakeForEver() {
    // 9000 x 9000 pixels in tiles of one pixel, all at the same place of the file.
    int tiles = 9000 * 9000;
    int[][] tags = {
      {256, 1, 9000},
      {257, 1, 9000},
      {258, 1, 8},
      {259, 1, 5},
      {262, 1, 1},
      {322, 1, 1},
      {323, 1, 1},
      {324, tiles, 200}
    };
    byte[] file = tiff(tags, 200 + 4 * tiles);
    ImageLimits large = LIMITS.withMaxBytes(1L << 30);
    assertFails(file, large, Kind.CORRUPT, "more than any real one");
  }

  @Test
  void saysWhichTiffCompressionIsNotRead() {
    int[][] tags = {
      {256, 1, 4}, {257, 1, 4}, {258, 1, 8}, {259, 1, 50000}, {262, 1, 1}, {273, 1, 100}
    };
    assertFails(tiff(tags, 200), LIMITS, Kind.UNSUPPORTED, "Zstandard");
  }

  /** A TIFF file of tags of 32-bit numbers: each the tag, how many, and the value or its place. */
  private static byte[] tiff(int[][] tags, int length) {
    ByteBuffer file = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    file.put("II*\0".getBytes(StandardCharsets.ISO_8859_1)).putInt(8);
    file.putShort((short) tags.length);
    for (int[] tag : tags) {
      file.putShort((short) tag[0]).putShort((short) 4).putInt(tag[1]).putInt(tag[2]);
    }
    return file.array();
  }

  @Test
  void saysWhichJpegVariantsAreNotRead() {
    byte[] file = TestImages.format("gray_64x48.jpg");
    file[TestImages.indexOf(file, 0xFF, 0xC0) + 1] = (byte) 0xC9;
    assertFails(file, LIMITS, Kind.UNSUPPORTED, "arithmetic");
  }
}
