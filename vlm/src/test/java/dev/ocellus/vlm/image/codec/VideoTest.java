package dev.ocellus.vlm.image.codec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFrame;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VideoTest {
  @TempDir Path directory;

  private static RgbImage gray(int level) {
    return RgbImage.filled(4, 3, new Rgb(level, level, level));
  }

  private void write(String name, RgbImage image) throws IOException {
    ImageIO.write(image.toBufferedImage(), "png", directory.resolve(name).toFile());
  }

  private Video read(OptionalDouble fps) throws IOException {
    return VideoReader.read(directory, fps, ImageLimits.DEFAULT);
  }

  @Test
  void readsADirectoryInTheNaturalOrderOfNames() throws IOException {
    write("frame-10.png", gray(10));
    write("frame-9.png", gray(9));
    write("frame-100.PNG", gray(100));
    write(".hidden.png", gray(1));
    Files.writeString(directory.resolve("notes.txt"), "no frame");
    Video video = read(OptionalDouble.of(4));
    assertThat(video.frames()).containsExactly(gray(9), gray(10), gray(100));
    assertThat(video.seconds(2)).isEqualTo(0.5);
    assertThat(video.duration()).isEqualTo(0.75);
    assertThat(read(OptionalDouble.empty()).fps()).isEqualTo(VideoReader.DEFAULT_FPS);
  }

  @Test
  void comparesNumbersOfAnyLength() {
    List<String> names =
        new ArrayList<>(List.of("b1", "a", "a01b", "a1b", "a99999999999999999999", "a2"));
    names.sort(VideoReader::compareNaturally);
    assertThat(names).containsExactly("a", "a01b", "a1b", "a2", "a99999999999999999999", "b1");
  }

  @Test
  void takesTheTimesOfAnAnimation() {
    Video video =
        Video.ofAnimation(
            List.of(
                new ImageFrame(gray(1), Duration.ofMillis(300)),
                new ImageFrame(gray(2), Duration.ZERO),
                new ImageFrame(gray(3), Duration.ofMillis(600))));
    assertThat(video.seconds(1)).isEqualTo(0.3);
    assertThat(video.seconds(2)).isEqualTo(0.4);
    assertThat(video.duration()).isEqualTo(1.0);
  }

  @Test
  void choosesFramesEvenly() {
    List<RgbImage> frames = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      frames.add(gray(i));
    }
    Video video = Video.of(frames, 5);
    // numpy.linspace(0, 9, 4).round()
    assertThat(video.evenly(4).frames()).containsExactly(gray(0), gray(3), gray(6), gray(9));
    // numpy.linspace(0, 9, 3).round(): halves to even numbers
    assertThat(video.evenly(3).frames()).containsExactly(gray(0), gray(4), gray(9));
    assertThat(video.evenly(3).seconds(1)).isEqualTo(0.8);
    assertThat(video.evenly(3).duration()).isEqualTo(2);
    assertThat(video.evenly(1).frames()).containsExactly(gray(0));
    assertThat(video.evenly(99)).isSameAs(video);
    assertThatThrownBy(() -> video.evenly(0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void isKnownByItsFramesAndTimes() {
    Video video = Video.of(List.of(gray(1), gray(2)), 2);
    assertThat(Video.of(List.of(gray(1), gray(2)), 2).contentHash()).isEqualTo(video.contentHash());
    assertThat(Video.of(List.of(gray(1), gray(2)), 3).contentHash())
        .isNotEqualTo(video.contentHash());
    assertThat(Video.of(List.of(gray(1), gray(3)), 2).contentHash())
        .isNotEqualTo(video.contentHash());
  }

  @Test
  void knowsWhetherItIsWholeAndEven() {
    Video even = Video.of(List.of(gray(1), gray(2), gray(3)), 0.7);
    assertThat(even.rate()).hasValue(0.7);
    assertThat(even.isWhole()).isTrue();
    Video some = even.evenly(2);
    assertThat(some.rate()).isEmpty();
    assertThat(some.isWhole()).isFalse();
    assertThat(Video.at(some.frames(), new double[] {0, 2 / 0.7}, 3 / 0.7)).isEqualTo(some);
    assertThat(some).isNotEqualTo(even);
  }

  @Test
  void refusesTimesThatGoBackOrOn() {
    List<RgbImage> two = List.of(gray(1), gray(2));
    for (double[] times :
        new double[][] {{0}, {0, -1}, {-1, 0}, {1, 0.5}, {0, 3}, {0, Double.NaN}, {0, 1, 2}}) {
      assertThatThrownBy(() -> Video.at(two, times, 2))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> Video.of(two, 1e-9))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("longer");
  }

  @Test
  void refusesFramesOfDifferentSizes() throws IOException {
    write("1.png", gray(1));
    write("2.png", RgbImage.filled(5, 3, Rgb.BLACK));
    assertThatThrownBy(() -> read(OptionalDouble.empty()))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("frame 2")
        .hasMessageContaining("5x3")
        .hasMessageContaining("4x3");
  }

  @Test
  void refusesWhatIsNoVideo() throws IOException {
    assertThatThrownBy(() -> read(OptionalDouble.empty()))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("no images")
        .hasMessageContaining("ffmpeg");
    write("still.png", gray(1));
    assertThatThrownBy(() ->
            VideoReader.read(
                directory.resolve("still.png"), OptionalDouble.empty(), ImageLimits.DEFAULT))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("still image");
    Path film = Files.writeString(directory.resolve("film.mp4"), "ftypisom");
    assertThatThrownBy(() -> VideoReader.read(film, OptionalDouble.empty(), ImageLimits.DEFAULT))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("ffmpeg");
    assertThatThrownBy(() -> Video.of(List.of(gray(1)), Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Video.of(List.of(), 1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void limitsFramesAndPixels() throws IOException {
    write("1.png", gray(1));
    write("2.png", gray(2));
    ImageLimits limits = ImageLimits.DEFAULT;
    assertThatThrownBy(() ->
            VideoReader.read(
                directory,
                OptionalDouble.empty(),
                new ImageLimits(limits.maxBytes(), limits.maxPixels(), limits.maxSide(), 1)))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("2 frames");
    assertThatThrownBy(
            () -> VideoReader.read(directory, OptionalDouble.empty(), limits.withMaxPixels(20)))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("20 pixels");
  }
}
