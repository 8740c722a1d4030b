package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import java.util.zip.ZipException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class NativeCacheTest {
  private static final Map<String, String> FILES =
      Map.of("libllama.so", "llama!", "libggml.so", "ggml", "fallback/libggml-cuda.so", "cuda");

  private final NativeManifest manifest = manifest();
  private final FakeContent content = new FakeContent();

  @TempDir Path temp;

  @Test
  void unpacksEveryFileAndNothingElseRemains() throws IOException {
    Path directory = unpack();

    assertThat(directory).isEqualTo(root().resolve(manifest.directoryName()));
    assertComplete(directory);
    assertThat(names(root()))
        .containsExactlyInAnyOrder(manifest.directoryName(), manifest.directoryName() + ".lock");
  }

  @Test
  void laterStartReadsNoResource() {
    Path first = unpack();
    content.opened.clear();

    assertThat(unpack()).isEqualTo(first);
    assertThat(content.opened).isEmpty();
  }

  @Test
  void repairsATruncatedFileAndOnlyThatOne() throws IOException {
    Path directory = unpack();
    Files.writeString(directory.resolve("libllama.so"), "lla");
    content.opened.clear();

    assertComplete(unpack());
    assertThat(content.opened).containsOnlyKeys("libllama.so");
  }

  @Test
  void repairsAFileThatWasAlteredWithoutChangingItsSize() throws IOException {
    Path library = unpack().resolve("libllama.so");
    Files.writeString(library, "LLAMA!");
    Files.setLastModifiedTime(library, FileTime.fromMillis(1));

    assertComplete(unpack());
  }

  @Test
  void restoresADeletedFileAndOneReplacedByADirectory() throws IOException {
    Path directory = unpack();
    Files.delete(directory.resolve("libggml.so"));
    Files.delete(directory.resolve("libllama.so"));
    Files.createDirectories(directory.resolve("libllama.so/inner"));

    assertComplete(unpack());
  }

  @Test
  void hashesAgainWhenTheMarkerIsMissingButUnpacksNothing() throws IOException {
    Path directory = unpack();
    Files.delete(directory.resolve("verified.txt"));
    content.opened.clear();

    assertComplete(unpack());
    assertThat(content.opened).isEmpty();
    assertThat(directory.resolve("verified.txt")).exists();
  }

  @Test
  void refusesADamagedResourceAndLeavesNothingBehind() throws IOException {
    content.damaged = "libggml.so";

    assertThatThrownBy(this::unpack)
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("libggml.so is damaged: expected 4 bytes")
        .hasMessageContaining("found 3 bytes");
    assertThat(names(root())).containsExactly(manifest.directoryName() + ".lock");
  }

  @Test
  void saysThatTheJarIsDamagedWhenAResourceCannotBeRead() throws IOException {
    NativeCache.Content torn =
        entry ->
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new ZipException("invalid stored block lengths");
              }
            };

    assertThatThrownBy(() -> new NativeCache(root()).unpacked(manifest, torn))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("cannot be read")
        .hasMessageContaining("invalid stored block lengths")
        .hasMessageContaining("its jar is damaged. Fetch the jar again");
    assertThat(names(root())).containsExactly(manifest.directoryName() + ".lock");
  }

  @Test
  void removesWhatAKilledProcessLeft() throws IOException {
    Path leftover = root().resolve(manifest.directoryName() + ".unpacking-1");
    Files.createDirectories(leftover);
    Files.writeString(leftover.resolve("libllama.so"), "ll");

    assertComplete(unpack());
    assertThat(leftover).doesNotExist();
  }

  @Test
  void manyThreadsAtOnceUnpackOnce() throws Exception {
    int threads = 16;
    CyclicBarrier start = new CyclicBarrier(threads);
    Callable<Path> task =
        () -> {
          start.await();
          return unpack();
        };
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      for (Future<Path> result : pool.invokeAll(Collections.nCopies(threads, task))) {
        assertComplete(result.get());
      }
    }
    assertThat(content.opened).containsOnlyKeys(FILES.keySet());
    assertThat(content.opened.values()).containsOnly(1);
  }

  @Test
  void usesATemporaryDirectoryWhenTheCacheCannotBeWritten() throws IOException {
    Files.writeString(temp.resolve("file"), "in the way");

    Path directory =
        new NativeCache(temp.resolve("file").resolve("natives")).unpacked(manifest, content);

    assertThat(directory).isDirectory();
    assertComplete(directory);
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "Windows has no POSIX permissions")
  void trustsNoDirectoryThatEveryUserCanWrite() throws IOException {
    Path planted = unpack();
    Files.setPosixFilePermissions(root(), PosixFilePermissions.fromString("rwxrwxrwx"));

    Path used = unpack();

    assertThat(used).isNotEqualTo(planted);
    assertComplete(used);
  }

  private Path root() {
    return temp.resolve("natives");
  }

  private Path unpack() {
    return new NativeCache(root()).unpacked(manifest, content);
  }

  private static void assertComplete(Path directory) throws IOException {
    for (Map.Entry<String, String> file : FILES.entrySet()) {
      assertThat(directory.resolve(file.getKey())).hasContent(file.getValue());
    }
    assertThat(names(directory)).doesNotContain("libllama.so.fresh");
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static NativeManifest manifest() {
    List<NativeManifest.Entry> entries = new ArrayList<>();
    FILES.forEach((name, text) -> {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      String hash = HexFormat.of().formatHex(NativeManifest.newSha256().digest(bytes));
      entries.add(new NativeManifest.Entry(name, bytes.length, hash));
    });
    return new NativeManifest("test-x64", "v1", entries, "0".repeat(64));
  }

  /** Counts how often each resource is opened, and can truncate one. */
  private static final class FakeContent implements NativeCache.Content {
    final Map<String, Integer> opened = new ConcurrentHashMap<>();
    String damaged = "";

    @Override
    public InputStream open(NativeManifest.Entry entry) throws IOException {
      opened.merge(entry.name(), 1, Integer::sum);
      String text = FILES.get(entry.name());
      if (text == null) {
        throw new FileNotFoundException(entry.name());
      }
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      int length = entry.name().equals(damaged) ? bytes.length - 1 : bytes.length;
      return new ByteArrayInputStream(bytes, 0, length);
    }
  }
}
