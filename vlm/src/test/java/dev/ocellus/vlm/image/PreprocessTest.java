package dev.ocellus.vlm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class PreprocessTest {
  private static final double[] CLIP_MEAN = {0.48145466, 0.4578275, 0.40821073};
  private static final double[] CLIP_STD = {0.26862954, 0.26130258, 0.27577711};

  @Test
  void hasThePixelValuesOfTransformersForLlava() throws IOException, NoSuchAlgorithmException {
    Normalize normalize = Normalize.of(CLIP_MEAN, CLIP_STD);
    List<String[]> rows =
        TestImages.table(TestImages.GOLDEN.resolve("../llava-1.5/pixel_values.tsv"));
    assertThat(rows).hasSize(6);
    for (String[] row : rows) {
      RgbImage image = ImageDecoder.decode(TestImages.GOLDEN.resolve(row[2]));
      RgbImage square = Preprocess.resizeAndCropToSquare(image, 56, ResizeFilter.BICUBIC);
      float[] pixels = normalize.apply(square);
      ByteBuffer bytes = ByteBuffer.allocate(pixels.length * 4).order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(pixels);
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes.array());
      assertThat(HexFormat.of().formatHex(hash)).as(String.join(" ", row)).isEqualTo(row[3]);
    }
  }

  @Test
  void keepsTheAspectRatioForTheShortestEdge() {
    // Values of transformers' get_resize_output_image_size.
    assertThat(Preprocess.shortestEdgeSize(new ImageSize(640, 427), 336))
        .isEqualTo(new ImageSize(503, 336));
    assertThat(Preprocess.shortestEdgeSize(new ImageSize(427, 640), 336))
        .isEqualTo(new ImageSize(336, 503));
    assertThat(Preprocess.shortestEdgeSize(new ImageSize(50, 50), 336))
        .isEqualTo(new ImageSize(336, 336));
    assertThat(Preprocess.shortestEdgeSize(new ImageSize(1, 65_535), 7))
        .isEqualTo(new ImageSize(7, 458_745));
    assertThatThrownBy(() -> Preprocess.shortestEdgeSize(new ImageSize(1, 65_535), 100_000))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void resizesOnlyWhatACropLeaves() {
    int[][] sizes = {
      {97, 61},
      {61, 97},
      {300, 56},
      {56, 300},
      {20, 2001},
      {57, 9000},
      {9000, 57},
      {1, 200},
      {200, 1}
    };
    for (int[] size : sizes) {
      RgbImage image = TestImages.noise(size[0], size[1], 1);
      RgbImage whole = Preprocess.resizeShortestEdge(image, 56, ResizeFilter.BICUBIC);
      for (int side : new int[] {56, 41, 70}) { // the shorter side is as long, longer, shorter
        assertThat(Preprocess.resizeAndCropToSquare(image, 56, side, ResizeFilter.BICUBIC))
            .as("%s, %d", image.size(), side)
            .isEqualTo(Preprocess.centerCrop(whole, side, side));
      }
    }
  }

  @Test
  void cropsVeryThinImagesWithoutTheMemoryForTheWhole() {
    // the whole would have 3.7 million lines of 56 pixels, and 22 million of 336
    for (int side : new int[] {56, 336}) {
      RgbImage image = RgbImage.filled(1, 65_535, new Rgb(9, 8, 7));
      assertThat(Preprocess.resizeAndCropToSquare(image, side, ResizeFilter.BICUBIC))
          .isEqualTo(RgbImage.filled(side, side, new Rgb(9, 8, 7)));
    }
    RgbImage longer = RgbImage.filled(30_000_000, 1, Rgb.BLACK);
    assertThatThrownBy(() -> Preprocess.resizeAndCropToSquare(longer, 336, ResizeFilter.BICUBIC))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("30000000x1")
        .hasMessageContaining("336");
  }

  @Test
  void cropsTheMiddle() {
    RgbImage image = TestImages.noise(11, 8, 1);
    assertThat(Preprocess.centerCrop(image, 4, 5)).isEqualTo(image.crop(3, 1, 4, 5));
    assertThat(Preprocess.centerCrop(image, 11, 8)).isEqualTo(image);
  }

  @Test
  void putsAnImageThatIsSmallerThanTheCropInTheMiddleOfBlack() {
    RgbImage image = TestImages.noise(11, 8, 1);
    // Of 3 missing columns 2 go to the left; 8 rows are cropped to 5 from row 1 on.
    assertThat(Preprocess.centerCrop(image, 14, 5))
        .isEqualTo(image.crop(0, 1, 11, 5).pad(2, 0, 1, 0, Rgb.BLACK));
  }

  @Test
  void padsToASquareWithTheMeanColor() {
    Rgb mean = Rgb.ofMean(CLIP_MEAN);
    assertThat(mean).isEqualTo(new Rgb(122, 116, 104));
    RgbImage image = TestImages.noise(11, 8, 1);
    assertThat(Preprocess.padToSquare(image, mean)).isEqualTo(image.pad(0, 1, 0, 2, mean));
    RgbImage upright = TestImages.noise(8, 11, 1);
    assertThat(Preprocess.padToSquare(upright, mean)).isEqualTo(upright.pad(1, 0, 2, 0, mean));
    RgbImage square = TestImages.noise(8, 8, 1);
    assertThat(Preprocess.padToSquare(square, mean)).isSameAs(square);
  }

  @Test
  void normalizesToPlanesWhereverTheyAreWanted() {
    RgbImage image = RgbImage.of(2, 1, new byte[] {0, 51, 102, (byte) 153, (byte) 204, -1});
    Normalize unit = Normalize.of(new double[] {0, 0, 0}, new double[] {1, 1, 1});
    float[] planes = {0f, 0.6f, 0.2f, 0.8f, 0.4f, 1f};
    assertThat(unit.apply(image)).isEqualTo(planes);

    float[] array = new float[8];
    unit.apply(image, array, 1);
    assertThat(array).isEqualTo(new float[] {0, 0f, 0.6f, 0.2f, 0.8f, 0.4f, 1f, 0});

    FloatBuffer buffer = FloatBuffer.allocate(7).position(1);
    unit.apply(image, buffer);
    assertThat(buffer.position()).isEqualTo(7);
    assertThat(buffer.get(2)).isEqualTo(0.6f);
    assertThatThrownBy(() -> unit.apply(image, buffer.position(2)))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> unit.apply(image, array, 3))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void refusesAStandardDeviationOfZero() {
    assertThatThrownBy(() -> Normalize.of(CLIP_MEAN, new double[] {1, 0, 1}))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
