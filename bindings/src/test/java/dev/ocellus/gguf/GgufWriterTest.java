package dev.ocellus.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufWriterTest {
  @TempDir Path dir;

  private final GgufWriter w = new GgufWriter();

  private static void assertMisuse(org.assertj.core.api.ThrowableAssert.ThrowingCallable c) {
    assertThatThrownBy(c).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesWhatTheReaderRefuses() {
    float[] one = {1};
    assertMisuse(() -> w.u8("", 1));
    assertMisuse(() -> w.u8("k".repeat(65536), 1));
    assertMisuse(() -> w.u8("a\0", 1));
    assertMisuse(() -> w.u8("\ud800", 1));
    assertMisuse(() -> w.u8("k", 256));
    assertMisuse(() -> w.tensor("", one, 1));
    assertMisuse(() -> w.tensor("n".repeat(64), one, 1));
    assertMisuse(() -> w.tensor("é".repeat(32), one, 1));
    assertMisuse(() -> w.tensor("t", one));
    assertMisuse(() -> w.tensor("t", one, 1, 1, 1, 1, 1));
    assertMisuse(() -> w.tensor("t", one, 1, 0));
    assertMisuse(() -> w.tensor("t", one, 2));
    assertMisuse(() -> w.tensor("t", TensorType.Q4_0, sink -> {}, 33));
    assertMisuse(() -> w.tensor("t", TensorType.F32, sink -> {}, 1L << 40, 1L << 40));
    w.tensor("t", one, 1);
    assertMisuse(() -> w.tensor("t", one, 1));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 4, 24, -32})
  void refusesBadAlignments(int alignment) {
    assertMisuse(() -> w.alignment(alignment));
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 32, 64, 4096})
  void alignsEveryTensor(int alignment) throws IOException {
    Path p = dir.resolve("a.gguf");
    w.alignment(alignment)
        .tensor("a", new float[] {1}, 1)
        .tensor("b", new float[] {2, 3}, 2)
        .write(p);
    try (GgufFile f = GgufFile.open(p)) {
      assertThat(f.alignment()).isEqualTo(alignment);
      assertThat(f.tensors()).allMatch(t -> t.offset() % alignment == 0);
      assertThat(f.tensor("b").floats()).containsExactly(2, 3);
    }
    assertThat(Files.size(p) % alignment).isZero();
  }

  @Test
  void streamsATensorInManyPieces() throws IOException {
    Path p = dir.resolve("big.gguf");
    int rows = 1000;
    w.tensor(
            "big",
            TensorType.F32,
            sink -> {
              float[] row = new float[1000];
              for (int i = 0; i < rows; i++) {
                java.util.Arrays.fill(row, i);
                sink.write(new Memory(MemorySegment.ofArray(row)));
              }
            },
            1000,
            rows)
        .write(p);
    try (GgufFile f = GgufFile.open(p)) {
      float[] back = f.tensor("big").floats();
      assertThat(back[0]).isZero();
      assertThat(back[999_999]).isEqualTo(999);
      assertThat(back[500_000]).isEqualTo(500);
    }
  }

  @Test
  void keepsTheOldFileAndLeavesNothingBehindOnFailure() throws IOException {
    Path p = dir.resolve("m.gguf");
    Files.writeString(p, "old");
    TensorSource broken =
        sink -> {
          throw new IOException("source broke");
        };
    TensorSource tooShort = sink -> sink.write(new Memory(MemorySegment.ofArray(new float[1])));
    TensorSource tooLong = sink -> sink.write(new Memory(MemorySegment.ofArray(new float[5])));
    assertThatThrownBy(() -> new GgufWriter().tensor("t", TensorType.F32, broken, 4).write(p))
        .hasMessage("source broke");
    assertThatThrownBy(() -> new GgufWriter().tensor("t", TensorType.F32, tooShort, 4).write(p))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("only 4");
    assertThatThrownBy(() -> new GgufWriter().tensor("t", TensorType.F32, tooLong, 4).write(p))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("at least 20");
    assertThat(p).hasContent("old");
    try (var files = Files.list(dir)) {
      assertThat(files).containsExactly(p);
    }
  }

  @Test
  void leavesNothingBehindWhenInterrupted() throws IOException {
    Path p = dir.resolve("m.gguf");
    TensorSource interrupting =
        sink -> {
          Thread.currentThread().interrupt();
          sink.write(new Memory(MemorySegment.ofArray(new float[1 << 16])));
        };
    assertThatThrownBy(
            () -> new GgufWriter().tensor("t", TensorType.F32, interrupting, 1 << 16).write(p))
        .isInstanceOf(ClosedByInterruptException.class);
    assertThat(Thread.interrupted()).isTrue();
    try (var files = Files.list(dir)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void replacesAFileThatIsOpen() throws IOException {
    Path p = dir.resolve("m.gguf");
    new GgufWriter().tensor("t", new float[] {1}, 1).write(p);
    try (GgufFile old = GgufFile.open(p)) {
      new GgufWriter().tensor("t", new float[] {2}, 1).write(p);
      assertThat(old.tensor("t").floats()).containsExactly(1);
    }
    try (GgufFile now = GgufFile.open(p)) {
      assertThat(now.tensor("t").floats()).containsExactly(2);
    }
  }

  @Test
  void saysWhereItCannotWrite() {
    assertThatThrownBy(() -> w.write(dir))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("is a directory");
    assertThatThrownBy(() -> w.write(dir.resolve("no/m.gguf")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("no such directory");
  }

  @Test
  void removesKeys() throws IOException {
    Path p = dir.resolve("m.gguf");
    w.u8("a", 1).u8("b", 2).u8("a", 3).remove("b").remove("b").write(p);
    try (GgufFile f = GgufFile.open(p)) {
      assertThat(f.metadata().asMap().keySet()).containsExactly("a");
      assertThat(f.metadata().integer("a")).isEqualTo(3);
    }
  }
}
