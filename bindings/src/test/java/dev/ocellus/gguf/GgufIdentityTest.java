package dev.ocellus.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.io.Memory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GgufIdentityTest {
  @TempDir Path directory;

  private static GgufWriter model(long seed) {
    float[] values = new float[64 * 64];
    Random random = new Random(seed);
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat();
    }
    return new GgufWriter()
        .string("general.architecture", "llama")
        .tensor("weight", TensorType.F32, new Memory(MemorySegment.ofArray(values)), 64, 64);
  }

  private String identity(String name, GgufWriter writer) throws IOException {
    Path file = directory.resolve(name);
    writer.write(file);
    return identity(file);
  }

  private static String identity(Path file) throws IOException {
    try (GgufFile gguf = GgufFile.open(file)) {
      return gguf.identity();
    }
  }

  @Test
  void isTheSameForEveryCopy() throws IOException {
    String first = identity("a.gguf", model(1));
    Path copy = Files.copy(directory.resolve("a.gguf"), directory.resolve("b.gguf"));
    assertThat(identity(copy)).isEqualTo(first).hasSize(64);
  }

  @Test
  void differsWithWeightsAndWithMetadata() throws IOException {
    String first = identity("a.gguf", model(1));
    assertThat(identity("weights.gguf", model(2))).isNotEqualTo(first);
    assertThat(identity("name.gguf", model(1).string("general.name", "another")))
        .isNotEqualTo(first);
  }

  @Test
  void differsWithTheLastWeight() throws IOException {
    String first = identity("a.gguf", model(1));
    byte[] bytes = Files.readAllBytes(directory.resolve("a.gguf"));
    bytes[bytes.length - 2] ^= 1;
    Path changed = Files.write(directory.resolve("changed.gguf"), bytes);
    assertThat(identity(changed)).isNotEqualTo(first);
  }
}
