package dev.ocellus.vlm.image.codec;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.TestImages;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ImageMutationFuzzTest {
  @Test
  @Timeout(60)
  void brokenFilesGiveAnImageOrATypedException() {
    List<String> names =
        TestImages.table("codec/formats.tsv").stream()
            .map(row -> row[0])
            .filter(name -> !name.contains("#"))
            .toList();
    List<byte[]> seeds = names.stream().map(TestImages::format).toList();
    ImageMutationFuzz.Outcome outcome = new ImageMutationFuzz(names, seeds, 20).run(4000);
    assertThat(outcome.decoded()).as("files that survive their mutations").isGreaterThan(200);
    assertThat(outcome.refused()).as("files that do not").isGreaterThan(1000);
    assertThat(Duration.ofNanos(outcome.slowestNanos()))
        .as(outcome.slowest())
        .isLessThan(Duration.ofSeconds(5));
  }
}
