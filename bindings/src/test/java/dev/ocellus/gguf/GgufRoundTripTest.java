package dev.ocellus.gguf;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.io.Memory;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against golden.gguf, which make_golden.py beside it wrote with the gguf Python package. */
class GgufRoundTripTest {
  @TempDir Path dir;
  Path golden = Path.of("");

  @BeforeEach
  void unpack() throws IOException {
    golden = dir.resolve("golden.gguf");
    try (InputStream in = getClass().getResourceAsStream("golden.gguf")) {
      Files.write(golden, Objects.requireNonNull(in).readAllBytes());
    }
  }

  @Test
  void readsEveryMetadataTypeThatPythonWrites() throws IOException {
    try (GgufFile f = GgufFile.open(golden)) {
      GgufMetadata m = f.metadata();
      assertThat(f.version()).isEqualTo(3);
      assertThat(f.alignment()).isEqualTo(32);
      assertThat(m.string("general.architecture")).isEqualTo("clip");
      assertThat(m.string("general.name")).isEqualTo("göld ✓");
      assertThat(m.integer("t.u8")).isEqualTo(255);
      assertThat(m.integer("t.i8")).isEqualTo(-128);
      assertThat(m.integer("t.u16")).isEqualTo(65535);
      assertThat(m.integer("t.i16")).isEqualTo(-32768);
      assertThat(m.integer("t.u32")).isEqualTo(4294967295L);
      assertThat(m.integer("t.i32")).isEqualTo(Integer.MIN_VALUE);
      assertThat(m.find("t.u64").orElseThrow().display()).isEqualTo("18446744073709551615");
      assertThat(m.integer("t.i64")).isEqualTo(Long.MIN_VALUE);
      assertThat(m.f32("t.f32")).isEqualTo(0.1f);
      assertThat(m.find("t.f64")).contains(new GgufValue.Real(MetadataType.F64, 0.1));
      assertThat(m.bool("t.true")).isTrue();
      assertThat(m.bool("t.false")).isFalse();
      assertThat(m.strings("t.strings")).containsExactly("a", "", "ünï");
      assertThat(m.integers("t.ints")).containsExactly(1, -2, 3);
      assertThat(m.floats("t.floats")).containsExactly(0.5f, -1.5f);
      assertThat(m.bools("t.bools")).containsExactly(true, false, true);
      assertThat(m.asMap().keySet()).startsWith("general.architecture", "general.name", "t.u8");
    }
  }

  @Test
  void readsTensorsThatPythonWrites() throws IOException {
    try (GgufFile f = GgufFile.open(golden)) {
      assertThat(f.tensors().stream().map(GgufTensor::name))
          .containsExactly("plain.f32", "half.f16", "scalar.f32", "packed.q8_0");
      GgufTensor plain = f.tensor("plain.f32");
      assertThat(plain.shape()).containsExactly(3L, 2L);
      assertThat(plain.floats()).containsExactly(0, 1, 2, 3, 4, 5);
      assertThat(plain.offset() % 32).isZero();
      assertThat(f.tensor("half.f16").floats()).containsExactly(1, -2, 0.5f);
      assertThat(f.tensor("scalar.f32").floats()).containsExactly(7);
      GgufTensor packed = f.tensor("packed.q8_0");
      assertThat(packed.type()).isEqualTo(TensorType.Q8_0);
      assertThat(packed.shape()).containsExactly(32L, 2L);
      byte[] bytes = packed.data().segment().toArray(ValueLayout.JAVA_BYTE);
      assertThat(bytes).hasSize(68).startsWith(0, 1, 2).endsWith(66, 67);
    }
  }

  @Test
  void writesTheSameBytesAsPython() throws IOException {
    Path copy = dir.resolve("copy.gguf");
    try (GgufFile f = GgufFile.open(golden)) {
      GgufWriter w = new GgufWriter().putAll(f.metadata());
      f.tensors().forEach(w::tensor);
      w.write(copy);
    }
    assertThat(copy).hasSameBinaryContentAs(golden);
  }

  @Test
  void buildsTheSameBytesAsPythonFromValues() throws IOException {
    Path built = dir.resolve("built.gguf");
    byte[] packed = new byte[68];
    for (int i = 0; i < packed.length; i++) {
      packed[i] = (byte) i;
    }
    short[] half = {Float.floatToFloat16(1), Float.floatToFloat16(-2), Float.floatToFloat16(0.5f)};
    new GgufWriter()
        .string("general.architecture", "clip")
        .string("general.name", "göld ✓")
        .u8("t.u8", 255)
        .i8("t.i8", -128)
        .u16("t.u16", 65535)
        .i16("t.i16", -32768)
        .u32("t.u32", 4294967295L)
        .i32("t.i32", Integer.MIN_VALUE)
        .u64("t.u64", -1)
        .i64("t.i64", Long.MIN_VALUE)
        .f32("t.f32", 0.1f)
        .f64("t.f64", 0.1)
        .bool("t.true", true)
        .bool("t.false", false)
        .strings("t.strings", List.of("a", "", "ünï"))
        .ints("t.ints", 1, -2, 3)
        .floats("t.floats", 0.5f, -1.5f)
        .put("t.bools", GgufArray.ofBooleans(true, false, true))
        .tensor("plain.f32", new float[] {0, 1, 2, 3, 4, 5}, 3, 2)
        .tensor("half.f16", TensorType.F16, new Memory(MemorySegment.ofArray(half)), 3)
        .tensor("scalar.f32", new float[] {7}, 1)
        .tensor(
            "packed.q8_0",
            TensorType.Q8_0,
            sink -> {
              MemorySegment s = MemorySegment.ofArray(packed);
              sink.write(new Memory(s.asSlice(0, 5)));
              sink.write(new Memory(s.asSlice(5)));
            },
            32,
            2)
        .write(built);
    assertThat(built).hasSameBinaryContentAs(golden);
  }

  @Test
  void keepsBytesThatAreNotUtf8() throws IOException {
    byte[] broken = {'a', (byte) 0xff, 'b'};
    Path p = dir.resolve("broken.gguf");
    new GgufWriter()
        .put("s", GgufString.of(broken))
        .put("a", GgufArray.ofBytes(List.of(broken, "ok".getBytes(UTF_8))))
        .write(p);
    try (GgufFile f = GgufFile.open(p)) {
      assertThat(f.metadata().string("s")).isEqualTo("a\ufffdb");
      assertThat(f.metadata().find("s")).contains(GgufString.of(broken));
      assertThat(f.metadata().array("a").bytesAt(0)).isEqualTo(broken);
      assertThat(f.metadata().array("a").stringAt(1)).isEqualTo("ok");
      assertThat(f.metadata().strings("a")).containsExactly("a\ufffdb", "ok");
    }
  }

  @Test
  void keepsEveryIntegerArrayType() throws IOException {
    GgufWriter w = new GgufWriter();
    for (MetadataType t : MetadataType.values()) {
      if (t.isInteger()) {
        w.put("a." + t.shortName(), GgufArray.ofIntegers(t, 1, 2, 100));
      }
    }
    w.put("doubles", GgufArray.ofDoubles(0.1, -2));
    Path p = dir.resolve("ints.gguf");
    w.write(p);
    try (GgufFile f = GgufFile.open(p)) {
      for (MetadataType t : MetadataType.values()) {
        if (t.isInteger()) {
          GgufArray a = f.metadata().array("a." + t.shortName());
          assertThat(a.elementType()).isEqualTo(t);
          assertThat(a.longs()).containsExactly(1, 2, 100);
          assertThat(a.display()).isEqualTo("[1, 2, 100]");
        }
      }
      assertThat(f.metadata().array("doubles").doubleAt(0)).isEqualTo(0.1);
    }
  }

  @Test
  void readsArraysOfArraysAndCopiesThem() throws IOException {
    Path nested =
        RawGguf.of(0, 1)
            .key("n", MetadataType.ARRAY)
            .i32(MetadataType.ARRAY.id())
            .i64(2)
            .i32(MetadataType.U8.id())
            .i64(2)
            .raw((byte) 1, (byte) 2)
            .i32(MetadataType.STRING.id())
            .i64(1)
            .string("x")
            .data(32, 0)
            .write(dir);
    Path copy = dir.resolve("copy.gguf");
    try (GgufFile f = GgufFile.open(nested)) {
      List<GgufArray> inner = f.metadata().array("n").arrays();
      assertThat(inner.get(0).longs()).containsExactly(1, 2);
      assertThat(inner.get(1).strings()).containsExactly("x");
      assertThat(f.metadata().array("n").display()).isEqualTo("[[1, 2], [x]]");
      new GgufWriter().putAll(f.metadata()).write(copy);
    }
    assertThat(copy).hasSameBinaryContentAs(nested);
  }
}
