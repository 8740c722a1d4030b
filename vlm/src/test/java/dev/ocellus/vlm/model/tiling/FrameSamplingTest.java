package dev.ocellus.vlm.model.tiling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
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

  private static int[] chosen(String processor, int n, double fps) {
    // the frames tell their numbers by their red values, as times may be shared
    List<RgbImage> frames =
        IntStream.range(0, n)
            .mapToObj(i -> RgbImage.filled(1, 1, new Rgb(i >> 8, i & 255, 0)))
            .toList();
    Video video = Video.of(frames, fps);
    Video sampled =
        switch (processor) {
          case "qwen3vl" -> FrameSampling.atRate(video, 2, 4, 768);
          case "glm4v" -> FrameSampling.atInterval(video, 2, 300);
          case "glm46v" -> FrameSampling.byLength(video);
          case "minicpmv4_6" -> FrameSampling.bySeconds(video, 128);
          case "gemma4" -> FrameSampling.inParts(video, 32);
          case "kimi_k25" -> FrameSampling.inPartsAtRate(video, 2);
          case "smolvlm" -> FrameSampling.withinMargins(video, 1, 64);
          case "qwen2vl-8" -> FrameSampling.inPairs(video, 8);
          case "qwen2vl-5" -> FrameSampling.inPairs(video, 5);
          case "qwen2vl-2fps" -> FrameSampling.inPairsAtRate(video, 2, 4, 768);
          case "qwen2vl-1.3fps" -> FrameSampling.inPairsAtRate(video, 1.3, 3, 49);
          case "internvl-8" -> FrameSampling.inSteps(video, 8, Double.NaN);
          case "internvl-27-whole" -> FrameSampling.inSteps(video, 27, 0);
          case "internvl-2fps" ->
              FrameSampling.inSteps(video, FrameSampling.count(video, 2), Double.NaN);
          case "internvl-0.7fps-1.5" ->
              FrameSampling.inSteps(video, FrameSampling.count(video, 0.7), 1.5);
          case "onevision-32" -> FrameSampling.inParts(video, 32);
          case "onevision-1.5fps" -> FrameSampling.inPartsAtRate(video, 1.5);
          default -> throw new AssertionError(processor);
        };
    return sampled.frames().stream().mapToInt(FrameSamplingTest::number).toArray();
  }

  private static int number(RgbImage frame) {
    return frame.rgb(0, 0) >> 8 & 0xFFFF;
  }

  /** Made by tests/golden/make/videos.py. */
  @Test
  void choosesWhatTransformersChooses() throws IOException {
    try (InputStream in = FrameSamplingTest.class.getResourceAsStream("frames.tsv")) {
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      assertThat(lines).hasSizeGreaterThan(500);
      for (String line : lines) {
        String[] fields = line.split("\t");
        int[] expected = Arrays.stream(fields[3].split(" ")).mapToInt(Integer::parseInt).toArray();
        assertThat(chosen(fields[0], Integer.parseInt(fields[1]), Double.parseDouble(fields[2])))
            .as("%s, %s frames, %s a second", fields[0], fields[1], fields[2])
            .containsExactly(expected);
      }
    }
  }

  @Test
  void takesAllFramesWhereThereAreFewerThanWanted() {
    assertThat(FrameSampling.inParts(video(3, 1), 32).nFrames()).isEqualTo(3);
    assertThat(FrameSampling.inPartsAtRate(video(3, 1), 2).nFrames()).isEqualTo(3);
    assertThat(FrameSampling.inPartsAtRate(video(3, 100), 2).nFrames()).isEqualTo(1);
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
