package dev.ocellus.vlm.cache;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.cache.ImageCache.Tier;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageCacheTest {
  private static final String KEY = "0123456789abcdef".repeat(4);
  private static final long MIB = 1 << 20;

  @TempDir Path directory;

  private static EncodedImage image(float value, int nTokens) {
    float[] rows = new float[4 * nTokens];
    Arrays.fill(rows, value);
    return new EncodedImage(
        rows,
        nTokens,
        4,
        List.of(
            new ImagePiece.Text("<row é>"),
            ImagePiece.Embeddings.grids(nTokens - 1, 1, List.of(0)),
            ImagePiece.Embeddings.of(1)));
  }

  private ImageCache onDisk(String encoder, long bytes) {
    return new ImageCache(0, directory, bytes, () -> encoder);
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  private static void assertSame(EncodedImage found, EncodedImage stored) {
    assertThat(found.values()).isEqualTo(stored.values());
    assertThat(found.layout()).isEqualTo(stored.layout());
    assertThat(found.width()).isEqualTo(stored.width());
  }

  @Test
  void findsInAnotherProcessWhatWasStoredOnDisk() throws IOException {
    EncodedImage stored = image(0.5f, 3);
    onDisk("encoder", MIB).put("pixels", stored);
    ImageCache.Found found = onDisk("encoder", MIB).find("pixels").orElseThrow();
    assertThat(found.tier()).isEqualTo(Tier.DISK);
    assertSame(found.image(), stored);
    if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Path made = directory.resolve("made");
      new ImageCache(0, made, MIB, () -> "e").put("pixels", stored);
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
          .isEqualTo("rwx------");
    }
  }

  @Test
  void findsNothingOfAnotherEncoder() {
    onDisk("encoder", MIB).put("pixels", image(1, 3));
    assertThat(onDisk("another", MIB).find("pixels")).isEmpty();
  }

  @Test
  void noticesEveryDamagedByteAndEveryMissingOne() {
    byte[] bytes = EncodedImageFormat.write(KEY, image(1, 2));
    assertThat(EncodedImageFormat.read(KEY, bytes)).isNotNull();
    for (int i = 0; i < bytes.length; i++) {
      byte[] damaged = bytes.clone();
      damaged[i] ^= 0x10;
      assertThat(EncodedImageFormat.read(KEY, damaged)).as("byte %d", i).isNull();
      assertThat(EncodedImageFormat.read(KEY, Arrays.copyOf(bytes, i))).as("length %d", i).isNull();
    }
    assertThat(EncodedImageFormat.read("f" + KEY.substring(1), bytes)).isNull();
  }

  @Test
  void removesADamagedFileAndStoresItAgain() throws IOException {
    ImageCache cache = onDisk("encoder", MIB);
    cache.put("pixels", image(1, 3));
    Path file = files().getFirst();
    byte[] bytes = Files.readAllBytes(file);
    bytes[bytes.length / 2] ^= 1;
    Files.write(file, bytes);
    assertThat(cache.find("pixels")).isEmpty();
    assertThat(files()).isEmpty();
    cache.put("pixels", image(2, 3));
    assertSame(cache.find("pixels").orElseThrow().image(), image(2, 3));
  }

  @Test
  void removesWhatWasUsedLongestAgoWhenTheDirectoryIsFull() throws IOException {
    long size = EncodedImageFormat.write(KEY, image(0, 1000)).length;
    ImageCache cache = onDisk("encoder", 3 * size);
    for (int i = 0; i < 3; i++) {
      cache.put("pixels " + i, image(i, 1000));
    }
    Instant longAgo = Instant.parse("2020-01-01T00:00:00Z");
    for (Path file : files()) {
      Files.setLastModifiedTime(file, FileTime.from(longAgo));
    }
    assertThat(cache.find("pixels 1")).isPresent(); // which makes it the youngest
    cache.put("pixels 3", image(3, 1000));
    cache.put("pixels 4", image(4, 1000));
    assertThat(files()).hasSize(3);
    assertThat(cache.find("pixels 1")).isPresent();
    assertThat(cache.find("pixels 4")).isPresent();
    assertThat(cache.find("pixels 0")).isEmpty();
  }

  @Test
  void leavesFilesOfOthersAlone() throws IOException {
    Path other = Files.write(directory.resolve("notes.txt"), new byte[100_000]);
    ImageCache cache = onDisk("encoder", 20_000);
    for (int i = 0; i < 10; i++) {
      cache.put("pixels " + i, image(i, 500));
    }
    assertThat(other).exists();
    assertThat(files()).hasSize(3);
  }

  @Test
  void goesOnWithoutADirectoryThatCannotBeWritten() throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    ImageCache cache = new ImageCache(MIB, file, MIB, () -> "encoder");
    cache.put("pixels", image(1, 3));
    assertThat(cache.find("pixels").orElseThrow().tier()).isEqualTo(Tier.MEMORY);
    assertThat(cache.find("others")).isEmpty();
  }

  @Test
  void keepsInMemoryWhatWasUsedLast() {
    ImageCache cache = new ImageCache(3 * image(0, 100).byteSize(), null, 0, () -> "");
    for (int i = 0; i < 3; i++) {
      cache.put("pixels " + i, image(i, 100));
    }
    assertThat(cache.find("pixels 0")).isPresent();
    cache.put("pixels 3", image(3, 100));
    assertThat(cache.find("pixels 0").orElseThrow().tier()).isEqualTo(Tier.MEMORY);
    assertThat(cache.find("pixels 1")).isEmpty();
    cache.put("too large", image(4, 1000));
    assertThat(cache.find("too large")).isEmpty();
    assertThat(cache.memoryBytes()).isEqualTo(3 * image(0, 100).byteSize());
  }

  @Test
  void isSafeBetweenThoseThatReadWriteAndRemoveAtOnce() {
    long size = EncodedImageFormat.write(KEY, image(0, 200)).length;
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int t = 0; t < 4; t++) {
      ImageCache mine = onDisk("encoder", 4 * size); // as another process would have
      all.add(
          CompletableFuture.runAsync(() -> {
            for (int i = 0; i < 60; i++) {
              int n = i % 7;
              mine.find("pixels " + n)
                  .ifPresentOrElse(
                      found -> assertSame(found.image(), image(n, 200)),
                      () -> mine.put("pixels " + n, image(n, 200)));
            }
          }));
    }
    all.forEach(CompletableFuture::join);
  }
}
