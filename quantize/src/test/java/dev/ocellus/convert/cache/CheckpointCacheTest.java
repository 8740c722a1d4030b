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
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
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
    assertThat(first.text()).exists(); // this process may have it open
  }

  @Test
  void removesWhatNobodyUsesAnyMore() throws IOException {
    CheckpointBuilder.llama(folder).write();
    Path now = Objects.requireNonNull(convert().text().getParent());
    Path before =
        now.resolveSibling(
            Objects.requireNonNull(now.getFileName()).toString().replaceFirst("[^-]*$", "0123"));
    Files.createDirectory(before);
    Files.writeString(before.resolve("text.gguf"), "of an earlier process");
    Path another = Files.createDirectory(root.resolve("another-model"));
    convert();
    assertThat(before).doesNotExist();
    assertThat(now).exists();
    assertThat(another).exists();
  }

  @Test
  void convertsAgainWhatIsDamaged() throws IOException {
    CheckpointBuilder.llama(folder).write();
    Path text = convert().text();
    byte[] whole = Files.readAllBytes(text);
    Files.delete(text);
    assertThat(convert().text()).hasBinaryContent(whole);

    Files.write(text, Arrays.copyOf(whole, whole.length / 2));
    assertThat(convert().text()).hasBinaryContent(whole);

    byte[] other = whole.clone();
    other[other.length - 1] ^= 1; // of the same size
    Files.write(text, other);
    Files.setLastModifiedTime(text, FileTime.fromMillis(1_000_000));
    assertThat(convert().text()).hasBinaryContent(whole);

    Files.setLastModifiedTime(text, FileTime.fromMillis(1_000_000)); // copied, not damaged
    int written = reports.get();
    convert();
    assertThat(reports.get()).isEqualTo(written);
  }

  @Test
  void answersAllWhoStartAtOnceWhileTheCheckpointChanges() throws Exception {
    CheckpointBuilder.llama(folder).write();
    Path config = folder.resolve("config.json");
    try (var threads = Executors.newFixedThreadPool(6)) {
      List<Future<String>> answers = new ArrayList<>();
      for (int i = 0; i < 6; i++) {
        answers.add(
            threads.submit(() -> {
              try (GgufFile file = GgufFile.open(convert().text())) {
                return file.metadata().string("general.architecture");
              }
            }));
        Files.setLastModifiedTime(config, FileTime.fromMillis(1_000_000L * (i + 1)));
      }
      for (Future<String> answer : answers) {
        assertThat(answer.get()).isEqualTo("llama");
      }
    }
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "no POSIX permissions")
  void refusesACacheThatEverybodyCanWrite() throws IOException {
    CheckpointBuilder.llama(folder).write();
    Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThatThrownBy(this::convert)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("can be written by every user");
    assertThat(root).isEmptyDirectory();
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
