package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.io.Sha256;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Our decoder gives what the JDK's does, and leaves to that what it does not know. */
class JpegSequentialTest {
  private static BufferedImage drawn(int width, int height, int type) {
    var random = new SplittableRandom(width * 31L + height);
    var image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int smooth = (x * 5 + y * 3) % 256;
        int rgb = smooth << 16 | (255 - smooth) << 8 | (x * y) % 256;
        image.setRGB(x, y, random.nextInt(8) == 0 ? random.nextInt(1 << 24) : rgb);
      }
    }
    return image;
  }

  private static byte[] written(BufferedImage image, float quality, boolean progressive)
      throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    var out = new ByteArrayOutputStream();
    try (var stream = ImageIO.createImageOutputStream(out)) {
      writer.setOutput(stream);
      ImageWriteParam param = writer.getDefaultWriteParam();
      param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      param.setCompressionQuality(quality);
      param.setProgressiveMode(
          progressive ? ImageWriteParam.MODE_DEFAULT : ImageWriteParam.MODE_DISABLED);
      writer.write(null, new IIOImage(image, null, null), param);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  private static byte[] stripped(byte[] file) {
    return new JpegHeader(file, ImageLimits.DEFAULT).withoutMetadata();
  }

  @ParameterizedTest
  @CsvSource({
    "1,1,0.75",
    "2,2,0.75",
    "3,5,0.9",
    "4,4,0.5",
    "5,3,1.0",
    "8,8,0.1",
    "15,17,0.95",
    "16,16,0.75",
    "17,15,0.75",
    "33,31,0.3",
    "64,64,1.0",
    "127,65,0.85",
    "801,799,0.8"
  })
  void givesWhatTheJdkGives(int width, int height, float quality) throws IOException {
    for (int type : new int[] {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_BYTE_GRAY}) {
      byte[] file = written(drawn(width, height, type), quality, false);
      JpegPixels own = JpegSequential.decode(stripped(file));
      assertThat(own).isNotNull();
      JpegSamples other = JpegDecoder.samples(file, ImageLimits.DEFAULT);
      assertThat(own.planes()).hasSize(other.count());
      assertThat(own.interleaved()).isEqualTo(other.data());
      if (other.count() == 3) {
        assertThat(own.yccToRgb()).isEqualTo(other.yccToRgb());
      }
    }
  }

  @Test
  void leavesProgressiveFilesToTheJdk() throws IOException {
    byte[] file = written(drawn(40, 30, BufferedImage.TYPE_INT_RGB), 0.8f, true);
    assertThat(JpegSequential.decode(stripped(file))).isNull();
  }

  /** Any byte changed, and files that end anywhere: none throws anything. */
  @Test
  void takesDamagedFiles() throws IOException {
    byte[] file = stripped(written(drawn(48, 40, BufferedImage.TYPE_INT_RGB), 0.8f, false));
    for (int at = 2; at < file.length - 2; at++) {
      byte[] changed = file.clone();
      changed[at] ^= (byte) (1 << at % 8);
      JpegPixels pixels = JpegSequential.decode(changed);
      if (pixels != null) {
        assertThat(pixels.interleaved()).isNotEmpty();
      }
    }
    for (int length = 0; length < file.length; length += 7) {
      JpegPixels pixels = JpegSequential.decode(Arrays.copyOf(file, length));
      assertThat(pixels == null || pixels.interleaved().length > 0).isTrue();
    }
  }

  /**
   * Bytes of the scans were changed at random: code words that are none, coefficients out of range,
   * intervals that end early, numbers that overflow. The hashes are of what Pillow 12.3 makes of
   * them.
   */
  @Test
  void recoversFromDamageAsPillowDoes() throws IOException {
    List<String> lines = new String(resource("rgb.sha256"), US_ASCII).lines().toList();
    assertThat(lines).hasSize(8);
    for (String line : lines) {
      String[] fields = line.split(" ");
      RgbImage image = ImageDecoder.decode(resource(fields[1]), ImageLimits.DEFAULT);
      assertThat(Sha256.hex(image.toByteArray())).as(fields[1]).isEqualTo(fields[0]);
    }
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = JpegSequentialTest.class.getResourceAsStream("damaged/" + name)) {
      return requireNonNull(in).readAllBytes();
    }
  }
}
