package dev.ocellus.gguf;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GgufFileTest {
  private static final int F32 = 0;

  @TempDir Path dir;

  private static AbstractThrowableAssert<?, ?> refused(Path p) {
    return assertThatThrownBy(() -> GgufFile.open(p).close())
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining(p.getFileName().toString());
  }

  private AbstractThrowableAssert<?, ?> refused(RawGguf raw) throws IOException {
    return refused(raw.write(dir));
  }

  private static RawGguf oneTensor() {
    return RawGguf.of(1, 0);
  }

  private static RawGguf oneKey(String key, MetadataType type) {
    return RawGguf.of(0, 1).key(key, type);
  }

  @Test
  void saysThatAFileIsMissing() {
    assertThatThrownBy(() -> GgufFile.open(dir.resolve("none.gguf")))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("none.gguf")
        .hasMessageContaining("no such file");
  }

  @Test
  void refusesADirectory() {
    assertThatThrownBy(() -> GgufFile.open(dir))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining("is a directory");
  }

  @Test
  void refusesAnEmptyFileAndAShortOne() throws IOException {
    refused(Files.write(dir.resolve("a"), new byte[0])).hasMessageContaining("empty file");
    refused(Files.write(dir.resolve("b"), new byte[] {'G', 'G'})).hasMessageContaining("only 2");
    refused(new RawGguf().raw((byte) 'G', (byte) 'G', (byte) 'U', (byte) 'F'))
        .hasMessageContaining("version");
  }

  static Stream<Arguments> mistakes() {
    return Stream.of(
        Arguments.of("version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"),
        Arguments.of("\n<!DOCTYPE html><html>", "HTML page"),
        Arguments.of("<?xml version='1.0'?><Error>", "XML"),
        Arguments.of("PK\3\4abc", "ZIP archive"),
        Arguments.of("\u0080\2}q", "pickle"),
        Arguments.of("tjgg\3\0\0\0", "ggjt"),
        Arguments.of("lmggabc", "magic ggml"),
        Arguments.of("\u001f\u008b\b", "gzip"),
        Arguments.of("(\u00b5/\u00fdabc", "zstd"),
        Arguments.of("\u00fd7zXZ\0", "xz"),
        Arguments.of("\u0089PNG\r", "an image"),
        Arguments.of("{\"error\":1}", "JSON"),
        Arguments.of("\0\0\0\0\0\0\0\0", "zeros"),
        Arguments.of("FUGG", "big-endian"),
        Arguments.of("What is this", "57 68 61 74"));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void namesWhatTheFileReallyIs(String content, String expected) throws IOException {
    refused(Files.write(dir.resolve("model.gguf"), content.getBytes(ISO_8859_1)))
        .hasMessageContaining("magic")
        .hasMessageContaining(expected);
  }

  @Test
  void recognisesSafetensors() throws IOException {
    refused(new RawGguf().i64(20).raw("{\"a\":{\"dtype\":\"F32\"}}".getBytes(ISO_8859_1)))
        .hasMessageContaining("safetensors");
  }

  @ParameterizedTest
  @CsvSource({"1, v1", "0, version", "4, newer", "0x03000000, big-endian", "-1, newer"})
  void refusesOtherVersions(String version, String expected) throws IOException {
    refused(
            new RawGguf()
                .raw("GGUF".getBytes(ISO_8859_1))
                .i32(Integer.decode(version))
                .i64(0)
                .i64(0))
        .hasMessageContaining(expected);
  }

  @Test
  void readsVersion2() throws IOException {
    Path p = new RawGguf().raw("GGUF".getBytes(ISO_8859_1)).i32(2).i64(0).i64(0).write(dir);
    try (GgufFile f = GgufFile.open(p)) {
      assertThat(f.version()).isEqualTo(2);
      assertThat(f.tensors()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 1, 1 << 20, Long.MAX_VALUE, Long.MIN_VALUE})
  void refusesAbsurdCounts(long n) throws IOException {
    refused(RawGguf.of(n, 0)).hasMessageContaining("number of tensors");
    refused(RawGguf.of(0, n)).hasMessageContaining("number of metadata");
  }

  @Test
  void refusesMoreTensorsThanGgmlCanCompare() throws IOException {
    RawGguf raw = RawGguf.of(70_000, 0);
    raw.raw(new byte[70_000 * 40]);
    refused(raw).hasMessageContaining("at most 65536");
  }

  @Test
  void refusesBadKeys() throws IOException {
    refused(oneKey("", MetadataType.U8).raw((byte) 1)).hasMessageContaining("1 to 65535");
    refused(oneKey("k".repeat(65536), MetadataType.U8).raw((byte) 1))
        .hasMessageContaining("1 to 65535");
    refused(oneKey("a\0b", MetadataType.U8).raw((byte) 1)).hasMessageContaining("NUL");
    refused(RawGguf.of(0, 1).i64(2).raw((byte) 0xff, (byte) 0xfe).i32(0).raw((byte) 1))
        .hasMessageContaining("UTF-8");
    refused(
            RawGguf.of(0, 2)
                .key("k", MetadataType.U8)
                .raw((byte) 1)
                .key("k", MetadataType.U8)
                .raw((byte) 1))
        .hasMessageContaining("a second 'k'");
    refused(RawGguf.of(0, 1).i64(Long.MAX_VALUE).raw(new byte[20])).hasMessageContaining("length");
  }

  @Test
  void neverPutsControlCharactersOfTheFileInAMessage() throws IOException {
    refused(oneKey("k\u001b[31m", MetadataType.BOOL).raw((byte) 2))
        .message()
        .doesNotContain("\u001b");
  }

  @Test
  void refusesBadValues() throws IOException {
    refused(RawGguf.of(0, 1).string("k").i32(13).raw((byte) 1)).hasMessageContaining("value type");
    refused(RawGguf.of(0, 1).string("k").i32(-1).raw((byte) 1)).hasMessageContaining("value type");
    refused(oneKey("flag", MetadataType.BOOL).raw((byte) 2))
        .hasMessageContaining("flag")
        .hasMessageContaining("boolean");
    refused(oneKey("s", MetadataType.STRING).i64(100).raw(new byte[9]))
        .hasMessageContaining("length")
        .hasMessageContaining("100");
    refused(oneKey("n", MetadataType.I64).raw((byte) 1)).hasMessageContaining("8 bytes");
  }

  @Test
  void refusesBadArrays() throws IOException {
    refused(oneKey("a", MetadataType.ARRAY).i32(99).i64(0)).hasMessageContaining("element type");
    refused(oneKey("a", MetadataType.ARRAY).i32(4).i64(3).i64(0)).hasMessageContaining("at most 2");
    refused(oneKey("a", MetadataType.ARRAY).i32(8).i64(Long.MAX_VALUE))
        .hasMessageContaining("number of elements");
    refused(oneKey("a", MetadataType.ARRAY).i32(8).i64(-1)).hasMessageContaining("elements");
    refused(oneKey("a", MetadataType.ARRAY).i32(7).i64(1).raw((byte) 3))
        .hasMessageContaining("boolean");
    RawGguf deep = oneKey("a", MetadataType.ARRAY);
    for (int i = 0; i < 100_000; i++) {
      deep.i32(9).i64(1);
    }
    refused(deep).hasMessageContaining("nested");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3, 4, 33, 1 << 31})
  void refusesBadAlignments(int alignment) throws IOException {
    refused(oneKey("general.alignment", MetadataType.U32).i32(alignment))
        .hasMessageContaining("power of two");
  }

  @Test
  void refusesAnAlignmentOfAnotherType() throws IOException {
    refused(oneKey("general.alignment", MetadataType.U64).i64(32)).hasMessageContaining("u64");
  }

  @Test
  void refusesBadTensorNames() throws IOException {
    refused(oneTensor().tensor("", F32, 0, 1).data(32, 4)).hasMessageContaining("1 to 63");
    refused(oneTensor().tensor("n".repeat(64), F32, 0, 1).data(32, 4))
        .hasMessageContaining("1 to 63");
    refused(RawGguf.of(2, 0).tensor("w", F32, 0, 1).tensor("w", F32, 32, 1).data(32, 64))
        .hasMessageContaining("a second 'w'");
  }

  @Test
  void acceptsANameOf63Bytes() throws IOException {
    String name = "n".repeat(63);
    try (GgufFile f = GgufFile.open(oneTensor().tensor(name, F32, 0, 1).data(32, 4).write(dir))) {
      assertThat(f.tensor(name).floats()).containsExactly(0);
    }
  }

  @Test
  void refusesBadShapes() throws IOException {
    refused(oneTensor().tensor("w", F32, 0).data(32, 64)).hasMessageContaining("1 to 4");
    refused(oneTensor().tensor("w", F32, 0, 1, 1, 1, 1, 1).data(32, 64))
        .hasMessageContaining("1 to 4");
    refused(oneTensor().tensor("w", F32, 0, 4, 0).data(32, 64)).hasMessageContaining("dimension 1");
    refused(oneTensor().tensor("w", F32, 0, -4).data(32, 64)).hasMessageContaining("-4");
    refused(oneTensor().tensor("w", F32, 0, 1L << 40, 1L << 40).data(32, 64))
        .hasMessageContaining("representable");
    refused(oneTensor().tensor("w", F32, 0, 1L << 58).data(32, 64)).hasMessageContaining("size");
    refused(oneTensor().tensor("w", TensorType.Q4_K.id(), 0, 255).data(32, 64))
        .hasMessageContaining("multiple of 256");
  }

  @Test
  void refusesRemovedAndUnknownTypes() throws IOException {
    refused(oneTensor().tensor("w", 4, 0, 32).data(32, 64)).hasMessageContaining("Q4_2");
    refused(oneTensor().tensor("w", 31, 0, 32).data(32, 64)).hasMessageContaining("Q4_0_4_4");
    refused(oneTensor().tensor("w", 43, 0, 32).data(32, 64)).hasMessageContaining("type");
    refused(oneTensor().tensor("w", -5, 0, 32).data(32, 64)).hasMessageContaining("type");
  }

  @Test
  void refusesTensorsThatOverlapOrLeaveGaps() throws IOException {
    for (long offset : new long[] {0, 4, 31, 64, -32, Long.MAX_VALUE}) {
      refused(RawGguf.of(2, 0).tensor("a", F32, 0, 8).tensor("b", F32, offset, 8).data(32, 512))
          .hasMessageContaining("offset of 'b'")
          .hasMessageContaining("expected 32");
    }
  }

  @Test
  void refusesAnOffsetBeyondTheFile() throws IOException {
    refused(oneTensor().tensor("w", F32, 1 << 20, 8).data(32, 32)).hasMessageContaining("offset");
  }

  @Test
  void saysHowManyBytesOfATruncatedFileAreMissing() throws IOException {
    refused(RawGguf.of(2, 0).tensor("a", F32, 0, 8).tensor("b", F32, 32, 100).data(32, 132))
        .hasMessageContaining("so 300 are missing")
        .hasMessageContaining("download");
  }

  @Test
  void refusesEveryTruncationOfAValidFile() throws IOException {
    byte[] whole =
        RawGguf.of(1, 1)
            .key("k", MetadataType.ARRAY)
            .i32(8)
            .i64(1)
            .string("value")
            .tensor("w", F32, 0, 3)
            .data(32, 12)
            .bytes();
    for (int n = 0; n < whole.length; n++) {
      refused(Files.write(dir.resolve("cut.gguf"), Arrays.copyOf(whole, n)));
    }
    GgufFile.open(Files.write(dir.resolve("cut.gguf"), whole)).close();
  }

  @Test
  void readsDataBeyond2GiB() throws IOException {
    long bytes = 4L * (1 << 20) * 600;
    Path p =
        RawGguf.of(2, 0)
            .tensor("a", F32, 0, 1 << 20, 600)
            .tensor("b", F32, bytes, 1)
            .data(32, 0)
            .write(dir);
    long dataStart = Files.size(p);
    try (FileChannel c = FileChannel.open(p, StandardOpenOption.WRITE)) {
      // A hole, not 2.5 GB on the disk.
      ByteBuffer two = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 2);
      c.write(two, dataStart + bytes);
    }
    try (GgufFile f = GgufFile.open(p)) {
      assertThat(f.tensor("a").data().byteSize()).isEqualTo(bytes);
      assertThat(f.tensor("b").floats()).containsExactly(2);
      assertThatThrownBy(() -> f.tensor("a").floats()).isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void saysWhatGgmlWouldRefuse() throws IOException {
    Path nested = oneKey("n", MetadataType.ARRAY).i32(9).i64(0).write(dir);
    Path narrow =
        RawGguf.of(1, 1)
            .key("general.alignment", MetadataType.U32)
            .i32(8)
            .tensor("w", F32, 0, 1)
            .data(8, 4)
            .write(dir);
    for (Path p : new Path[] {nested, narrow}) {
      try (GgufFile f = GgufFile.open(p)) {
        assertThatThrownBy(f::requireReadableByGgml).isInstanceOf(GgufFormatException.class);
      }
    }
    try (GgufFile f = GgufFile.open(oneTensor().tensor("w", F32, 0, 1).data(32, 4).write(dir))) {
      f.requireReadableByGgml();
    }
  }

  @Test
  void refusesAccessAfterClose() throws IOException {
    GgufFile f = GgufFile.open(oneTensor().tensor("w", F32, 0, 1).data(32, 4).write(dir));
    GgufTensor w = f.tensor("w");
    f.close();
    f.close();
    assertThatThrownBy(w::floats).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void noticesThatTheFileWasReplacedOrTruncated() throws IOException {
    Path p = oneTensor().tensor("w", F32, 0, 1).data(32, 4).write(dir);
    try (GgufFile f = GgufFile.open(p)) {
      f.checkUnchanged();
      Files.write(p, new byte[10]);
      assertThatThrownBy(f::checkUnchanged)
          .isInstanceOf(GgufFormatException.class)
          .hasMessageContaining("changed");
    }
  }
}
