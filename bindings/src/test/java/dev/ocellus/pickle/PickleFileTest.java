package dev.ocellus.pickle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.io.Memory;
import dev.ocellus.safetensors.SafetensorsType;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against what PyTorch reads from the files that make_golden.py beside them wrote. */
class PickleFileTest {
  private static final Map<String, SafetensorsType> TYPES =
      Map.ofEntries(
          Map.entry("float64", SafetensorsType.F64),
          Map.entry("float32", SafetensorsType.F32),
          Map.entry("float16", SafetensorsType.F16),
          Map.entry("bfloat16", SafetensorsType.BF16),
          Map.entry("float8_e4m3fn", SafetensorsType.F8_E4M3),
          Map.entry("float8_e5m2", SafetensorsType.F8_E5M2),
          Map.entry("int64", SafetensorsType.I64),
          Map.entry("int32", SafetensorsType.I32),
          Map.entry("int16", SafetensorsType.I16),
          Map.entry("int8", SafetensorsType.I8),
          Map.entry("uint8", SafetensorsType.U8),
          Map.entry("uint16", SafetensorsType.U16),
          Map.entry("uint32", SafetensorsType.U32),
          Map.entry("uint64", SafetensorsType.U64),
          Map.entry("bool", SafetensorsType.BOOL));

  @TempDir Path dir;

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = PickleFileTest.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }

  private Path file(String name) throws IOException {
    return Files.write(dir.resolve(name), resource(name));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "zip-2.bin",
        "zip-3.bin",
        "zip-4.bin",
        "zip-5.bin",
        "legacy-1.bin",
        "legacy-2.bin",
        "legacy-4.bin",
        "big-endian.bin",
        "wrapped.pth",
        "nested.pt"
      })
  void readsWhatPyTorchReads(String name) throws IOException {
    JsonNode expected = new ObjectMapper().readTree(resource("golden.json")).get(name);
    TreeSet<String> names = new TreeSet<>();
    expected.fieldNames().forEachRemaining(names::add);
    try (PickleFile f = PickleFile.open(file(name))) {
      assertThat(new TreeSet<>(f.names())).isEqualTo(names).isNotEmpty();
      for (String tensor : names) {
        requireEqual(f, tensor, expected.get(tensor));
      }
    }
  }

  private static void requireEqual(PickleFile f, String name, JsonNode expected) {
    assertThat(f.type(name)).as(name).isEqualTo(TYPES.get(expected.get("dtype").asText()));
    assertThat(f.shape(name))
        .as(name)
        .hasToString(expected.get("shape").toString().replace(",", ", "));
    float[] values = new float[expected.get("values").size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) expected.get("values").get(i).asDouble();
    }
    float[] read = new float[values.length + 2];
    f.read(name, 0, read, 1, values.length);
    assertThat(java.util.Arrays.copyOfRange(read, 1, values.length + 1))
        .as(name)
        .containsExactly(values);
    float[] one = new float[1];
    for (int i = 0; i < values.length; i++) {
      f.read(name, i, one, 0, 1);
      assertThat(one[0]).as(name + " at " + i).isEqualTo(values[i]);
    }
  }

  @Test
  void givesTheBytesOfTensorsThatLieInOrderAndOfNoOthers() throws IOException {
    try (PickleFile f = PickleFile.open(file("zip-2.bin"))) {
      assertThat(f.stored("contiguous").map(Memory::byteSize)).hasValue(96L);
      assertThat(f.stored("part").map(Memory::byteSize)).hasValue(48L);
      assertThat(f.stored("bfloat16").map(Memory::byteSize)).hasValue(12L);
      assertThat(f.stored("empty").map(Memory::byteSize)).hasValue(0L);
      for (String name : new String[] {"transposed", "stepped", "column", "expanded"}) {
        assertThat(f.stored(name)).as(name).isEmpty();
      }
    }
    try (PickleFile f = PickleFile.open(file("big-endian.bin"))) {
      assertThat(f.stored("contiguous")).isEmpty();
    }
  }

  @Test
  void refusesToReadWhatIsNotThere() throws IOException {
    PickleFile f = PickleFile.open(file("zip-2.bin"));
    assertThatThrownBy(() -> f.shape("x"))
        .isInstanceOf(PickleFormatException.class)
        .hasMessageContaining("'x'");
    assertThatThrownBy(() -> f.read("contiguous", 20, new float[9], 0, 5))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> f.read("transposed", 0, new float[9], 5, 5))
        .isInstanceOf(IndexOutOfBoundsException.class);
    f.close();
    f.close();
    assertThatThrownBy(() -> f.read("contiguous", 0, new float[1], 0, 1))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> PickleFile.open(dir.resolve("none.bin")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "program.bin, 'posix.system'",
    "program-legacy.bin, 'posix.system'",
    "module.pt, 'torch.nn.modules.linear.Linear'",
    "complex.bin, 'torch.ComplexFloatStorage'",
    "sparse.bin, 'torch._utils._rebuild_sparse_tensor'",
    "script.pt, TorchScript"
  })
  void refusesByNameWhatIsNoStateDict(String name, String message) throws IOException {
    Path path = file(name);
    assertThatThrownBy(() -> PickleFile.open(path))
        .isInstanceOf(PickleFormatException.class)
        .hasMessageContainingAll(path.toString(), message.strip());
  }

  @ParameterizedTest
  @CsvSource({
    "'<!DOCTYPE html><html>', HTML",
    "'version https://git-lfs.github.com/spec/v1\n', Git LFS",
    "'', nothing",
    "'PK\u0003\u0004', not whole",
    "'hello', neither",
    "'\u0080\u0002K\u0001.', magic"
  })
  void namesAnotherFile(String content, String message) throws IOException {
    Path path = dir.resolve("x.bin");
    Files.write(path, content.getBytes(java.nio.charset.StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> PickleFile.open(path))
        .isInstanceOf(PickleFormatException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"zip-2.bin", "zip-4.bin", "legacy-1.bin", "legacy-2.bin", "wrapped.pth"})
  void survivesEveryDamage(String name) throws IOException {
    byte[] whole = resource(name);
    SplittableRandom random = new SplittableRandom(11);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] damaged =
          i % 3 == 0 ? java.util.Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
      for (int n = random.nextInt(3); n >= 0 && damaged.length > 0; n--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      Path path = Files.write(dir.resolve("damaged.bin"), damaged);
      try (PickleFile f = PickleFile.open(path)) {
        for (String tensor : f.names()) {
          f.stored(tensor);
          int n = (int) Math.min(100, f.shape(tensor).stream().reduce(1L, (a, b) -> a * b));
          f.read(tensor, 0, new float[100], 0, n);
        }
      } catch (PickleFormatException e) {
        assertThat(e).hasMessageContaining("damaged.bin");
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(100);
  }
}
