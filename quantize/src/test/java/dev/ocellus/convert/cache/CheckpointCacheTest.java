package dev.ocellus.convert.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.CheckpointBuilder;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointCacheTest {
  @TempDir Path folder;
  @TempDir Path root;

  private final AtomicInteger reports = new AtomicInteger();
  private final ConvertProgress counting =
      (file, share) -> {
        reports.incrementAndGet();
        return true;
      };

  private CheckpointCache.Converted convert() throws IOException {
    return new CheckpointCache(root).convert(folder, true, counting);
  }

  @Test
  void convertsOnceUntilTheCheckpointChanges() throws IOException {
    CheckpointBuilder.llama(folder).write();
    CheckpointCache.Converted first = convert();
    assertThat(first.mmproj()).isNull(); // a model of text alone
    int written = reports.get();
    assertThat(written).isPositive();
    assertThat(convert()).isEqualTo(first);
    assertThat(reports.get()).isEqualTo(written);

    Path config = folder.resolve("config.json");
    Files.setLastModifiedTime(config, FileTime.fromMillis(1_000_000));
    CheckpointCache.Converted second = convert();
    assertThat(second.text()).isNotEqualTo(first.text()).exists();
    assertThat(first.text()).doesNotExist(); // what it was before takes no room
    try (Stream<Path> left = Files.list(root)) {
      assertThat(left).hasSize(1);
    }
  }

  @Test
  void keepsSmallCheckpointsExactAndLargeOnesSmall() throws IOException {
    CheckpointBuilder.llama(folder).write();
    assertThat(typeOfEmbedding(convert())).isEqualTo(TensorType.F32);
    Path other = root.resolve("other");
    var converted = new CheckpointCache(other, 100).convert(folder, true, counting);
    assertThat(typeOfEmbedding(converted)).isEqualTo(TensorType.F16);
  }

  private static TensorType typeOfEmbedding(CheckpointCache.Converted pair) throws IOException {
    try (GgufFile file = GgufFile.open(pair.text())) {
      return file.tensor("token_embd.weight").type();
    }
  }

  @Test
  void beginsAgainWhereItWasCancelled() throws IOException {
    CheckpointBuilder.llama(folder).write();
    CheckpointCache cache = new CheckpointCache(root);
    assertThatThrownBy(() -> cache.convert(folder, true, (file, share) -> false))
        .isInstanceOf(CancellationException.class);
    assertThat(convert().text()).exists();
  }
}
