package dev.ocellus.convert.model.base;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where settings of videos come from, and which of them are written. */
class VideoKeysTest {
  private static final PixelLimits CLASS = new PixelLimits(100, 200);

  @TempDir Path folder;

  @BeforeEach
  void configuration() throws IOException {
    Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"qwen3_vl\"}");
  }

  private void file(String name, String json) throws IOException {
    Files.writeString(folder.resolve(name), json);
  }

  private GgufMetadata written(BiConsumer<VideoKeys, GgufWriter> keys) throws IOException {
    Path out = folder.resolve("out.gguf");
    try (HfFolder opened = HfFolder.openConfiguration(folder)) {
      GgufWriter writer = new GgufWriter().string("general.architecture", "clip");
      keys.accept(VideoKeys.of(opened), writer);
      writer.tensor("v", new float[] {1}, 1).write(out);
    }
    try (GgufFile read = GgufFile.open(out)) {
      return read.metadata();
    }
  }

  private GgufMetadata limits() throws IOException {
    return written((k, out) -> k.limits(out, PixelLimits.ofSize(k.config(), CLASS), CLASS));
  }

  private static String size(int max) {
    return "{\"size\": {\"shortest_edge\": 100, \"longest_edge\": %d}}".formatted(max);
  }

  @Test
  void settingsForVideosCountBeforeThoseOfImages() throws IOException {
    String key = "clip.vision.video.max_pixels";
    assertThat(limits().contains(key)).isFalse();
    file("preprocessor_config.json", size(300));
    assertThat(limits().int32(key)).isEqualTo(300);
    file("video_preprocessor_config.json", size(400));
    assertThat(limits().int32(key)).isEqualTo(400);
    file("processor_config.json", "{\"video_processor\": " + size(500) + "}");
    assertThat(limits().int32(key)).isEqualTo(500);
    assertThat(limits().contains("clip.vision.video.min_pixels")).isFalse();
  }

  @Test
  void coloursOfVideosAreThoseOfTheClassWhereTheirFileSaysNothing() throws IOException {
    file("preprocessor_config.json", "{\"image_mean\": [0.5, 0.5, 0.5], \"resample\": 2}");
    BiConsumer<VideoKeys, GgufWriter> pixels =
        (k, out) -> {
          try (HfFolder opened = HfFolder.openConfiguration(folder)) {
            var images = VisionModel.processor(opened);
            k.pixels(out, 2, 3, images, VideoKeys.CLIP_MEAN, VideoKeys.CLIP_STD);
          } catch (IOException e) {
            throw new AssertionError(e);
          }
        };
    GgufMetadata same = written(pixels);
    assertThat(same.contains("clip.vision.video.image_mean")).isFalse();
    assertThat(same.contains("clip.vision.video.image_resample")).isFalse();
    file("video_preprocessor_config.json", "{}");
    GgufMetadata own = written(pixels);
    assertThat(own.contains("clip.vision.video.image_mean")).isTrue();
    assertThat(own.contains("clip.vision.video.image_std")).isFalse();
    assertThat(own.int32("clip.vision.video.image_resample")).isEqualTo(3);
    file("video_preprocessor_config.json", "{\"do_normalize\": false, \"resample\": 2}");
    assertThat(written(pixels).bool("clip.vision.video.do_normalize", true)).isFalse();
  }

  @Test
  void ratesAndFrames() throws IOException {
    file("video_preprocessor_config.json", "{\"fps\": 0.1, \"max_frames\": 9}");
    GgufMetadata m =
        written((k, out) -> {
          k.rate(out, 2);
          k.integer(out, "max_frames", "max_frames", 768, 768);
          k.integer(out, "min_frames", "min_frames", 4, 4);
          k.sampling(out);
        });
    assertThat(m.f32("clip.vision.video.fps", 0)).isEqualTo(0.1f);
    assertThat(m.int32("clip.vision.video.max_frames")).isEqualTo(9);
    assertThat(m.contains("clip.vision.video.min_frames")).isFalse();
    assertThat(m.contains("clip.vision.video.sample_frames")).isFalse();
  }

  private GgufMetadata onRequest(List<String> warnings) throws IOException {
    try (HfFolder opened = HfFolder.openConfiguration(folder)) {
      return written((k, out) -> {
        if (k.samplingOnRequest(out, new Context(opened, "", null, warnings))) {
          k.shift(out, "initial_shift");
        }
      });
    }
  }

  @Test
  void choicesOnRequest() throws IOException {
    List<String> warnings = new ArrayList<>();
    String sample = "clip.vision.video.sample_frames";
    file("video_preprocessor_config.json", "{\"fps\": 2, \"num_frames\": 4}");
    assertThat(onRequest(warnings).contains(sample)).isFalse(); // the class takes all
    file("video_preprocessor_config.json", "{\"do_sample_frames\": true, \"fps\": 1.5}");
    GgufMetadata rated = onRequest(warnings);
    assertThat(rated.bool(sample, false)).isTrue();
    assertThat(rated.f32("clip.vision.video.fps", 0)).isEqualTo(1.5f);
    assertThat(rated.contains("clip.vision.video.initial_shift")).isFalse();
    file(
        "video_preprocessor_config.json",
        "{\"do_sample_frames\": true, \"num_frames\": 6, \"initial_shift\": false}");
    GgufMetadata counted = onRequest(warnings);
    assertThat(counted.int32("clip.vision.video.num_frames")).isEqualTo(6);
    assertThat(counted.f32("clip.vision.video.initial_shift", 9)).isZero();
    assertThat(warnings).isEmpty();
    file("video_preprocessor_config.json", "{\"do_sample_frames\": true}");
    assertThat(onRequest(warnings).contains(sample)).isFalse();
    assertThat(warnings).singleElement().asString().contains("num_frames");
    file(
        "video_preprocessor_config.json",
        "{\"do_sample_frames\": true, \"fps\": 1, \"num_frames\": 2}");
    assertThat(onRequest(warnings).contains("clip.vision.video.fps")).isFalse();
    assertThat(warnings).hasSize(2);
  }

  @Test
  void refusesWhatNoProcessorHas() throws IOException {
    file("video_preprocessor_config.json", "{\"fps\": 0, \"max_frames\": 0}");
    assertThatThrownBy(() -> written((k, out) -> k.rate(out, 2)))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("fps")
        .hasMessageContaining("video_preprocessor_config.json");
    assertThatThrownBy(
            () -> written((k, out) -> k.integer(out, "max_frames", "max_frames", 768, 768)))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("max_frames");
  }
}
