package dev.ocellus.vlm.model.tiling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Against what the video processors of transformers 5.18 choose. */
class FrameSamplingTest {
  private static Video video(int n, double fps) {
    return Video.of(Collections.nCopies(n, RgbImage.filled(1, 1, Rgb.BLACK)), fps);
  }

  private static List<Long> indices(Video sampled, double fps) {
    return IntStream.range(0, sampled.nFrames())
        .mapToObj(i -> Math.round(sampled.seconds(i) * fps))
        .toList();
  }

  @Test
  void takesTwoFramesOfASecond() {
    assertThat(indices(FrameSampling.atRate(video(30, 10), 2, 4, 768), 10))
        .containsExactly(0L, 6L, 12L, 17L, 23L, 29L);
    assertThat(indices(FrameSampling.atRate(video(10, 10), 2, 4, 768), 10))
        .containsExactly(0L, 3L, 6L, 9L);
    assertThat(FrameSampling.atRate(video(3, 30), 2, 4, 768).nFrames()).isEqualTo(3);
    assertThat(FrameSampling.atRate(video(1000, 1), 2, 4, 768).nFrames()).isEqualTo(768);
  }

  @Test
  void leavesTheFirstAndTheLastSecondOfALongVideoOut() {
    assertThat(indices(FrameSampling.withinMargins(video(5, 2), 1, 64), 2)).containsExactly(0L, 4L);
    assertThat(indices(FrameSampling.withinMargins(video(10, 2), 1, 64), 2))
        .containsExactly(0L, 2L, 4L, 6L, 9L);
    List<Long> longVideo = indices(FrameSampling.withinMargins(video(400, 4), 1, 64), 4);
    assertThat(longVideo).hasSize(64).startsWith(4L, 10L, 16L).endsWith(383L, 389L, 396L);
    assertThat(FrameSampling.withinMargins(video(1, 9), 1, 64).nFrames()).isEqualTo(1);
  }

  @Test
  void writesNumbersInWords() {
    assertThat(IntStream.of(0, 5, 13, 20, 21, 64, 100, 105, 342).mapToObj(NumberWords::of))
        .containsExactly(
            "zero",
            "five",
            "thirteen",
            "twenty",
            "twenty-one",
            "sixty-four",
            "one hundred",
            "one hundred and five",
            "three hundred and forty-two");
  }
}
