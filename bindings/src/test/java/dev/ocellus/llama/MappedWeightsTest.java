package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs(OS.LINUX)
class MappedWeightsTest {
  private static final long BYTES = 96L << 20;
  private static final int PAGE = 4096;
  private static final long LAST = BYTES - 1;

  @TempDir Path folder;

  @Test
  void pagesOfAFileThatWasCopiedAreGivenBackAndComeAgain() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MappedWeights weights = new MappedWeights(file());
      MemorySegment mapped = map(arena);
      MemorySegment copy = arena.allocate(BYTES);
      copy.copyFrom(mapped);
      weights.releaseIfCopied();
      assertThat(residentBytes()).isLessThan(BYTES / 8);
      assertThat(mapped.mismatch(copy)).isEqualTo(-1);
    }
  }

  @Test
  void pagesOfAFileThatWasNotCopiedStay() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MappedWeights weights = new MappedWeights(file());
      MemorySegment mapped = map(arena);
      weights.releaseIfCopied();
      assertThat(residentBytes()).isGreaterThan(BYTES / 2);
      assertThat(mapped.get(ValueLayout.JAVA_BYTE, LAST)).isEqualTo((byte) 7);
    }
  }

  private Path file() throws IOException {
    Path file = folder.resolve("weights.gguf");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {7}), LAST);
    }
    return file;
  }

  /** Maps the file and reads every page. */
  private MemorySegment map(Arena arena) throws IOException {
    try (FileChannel channel = FileChannel.open(folder.resolve("weights.gguf"))) {
      MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, BYTES, arena);
      for (long i = 0; i < BYTES; i += PAGE) {
        assertThat(mapped.get(ValueLayout.JAVA_BYTE, i)).isEqualTo((byte) 0);
      }
      return mapped;
    }
  }

  /** What the process has of the mapping in memory. */
  private static long residentBytes() throws IOException {
    boolean inside = false;
    long bytes = 0;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        inside = line.endsWith("/weights.gguf");
      } else if (inside && line.startsWith("Rss:")) {
        bytes += Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
      }
    }
    return bytes;
  }
}
