package dev.ocellus.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SplitFilesTest {
  @TempDir Path dir;

  private Path part(int no, int count) {
    return dir.resolve("m-%05d-of-%05d.gguf".formatted(no + 1, count));
  }

  private GgufWriter shard(int no, int count, int tensors) {
    return new GgufWriter()
        .u16("split.no", no)
        .u16("split.count", count)
        .i32("split.tensors.count", tensors);
  }

  private void three() throws IOException {
    shard(0, 3, 2).string("general.architecture", "llama").write(part(0, 3));
    shard(1, 3, 2).tensor("a", new float[] {1}, 1).write(part(1, 3));
    shard(2, 3, 2).tensor("b", new float[] {2}, 1).write(part(2, 3));
  }

  @Test
  void opensAllPartsFromTheFirst() throws IOException {
    three();
    try (GgufFile f = GgufFile.open(part(0, 3))) {
      assertThat(f.files()).containsExactly(part(0, 3), part(1, 3), part(2, 3));
      assertThat(f.tensor("a").floats()).containsExactly(1);
      assertThat(f.tensor("b").floats()).containsExactly(2);
      assertThat(f.tensor("b").file()).isEqualTo(part(2, 3));
      assertThat(f.metadata().string("general.architecture")).isEqualTo("llama");
    }
  }

  @Test
  void opensOnePartAloneWhenAsked() throws IOException {
    three();
    try (GgufFile f = GgufFile.openShard(part(1, 3))) {
      assertThat(f.tensors()).hasSize(1);
    }
  }

  @Test
  void namesAMissingPart() throws IOException {
    three();
    Files.delete(part(1, 3));
    assertThatThrownBy(() -> GgufFile.open(part(0, 3)))
        .isInstanceOf(NoSuchFileException.class)
        .hasMessageContaining("m-00002-of-00003.gguf")
        .hasMessageContaining("part 2 of 3");
  }

  @Test
  void namesTheFirstPartWhenAnotherIsGiven() throws IOException {
    three();
    assertThatThrownBy(() -> GgufFile.open(part(1, 3)))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining("m-00001-of-00003.gguf");
  }

  @Test
  void refusesAPartThatWasRenamed() throws IOException {
    three();
    Path renamed = dir.resolve("model.gguf");
    Files.move(part(0, 3), renamed);
    assertThatThrownBy(() -> GgufFile.open(renamed))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining("-00001-of-00003.gguf");
  }

  @Test
  void refusesPartsThatDoNotBelongTogether() throws IOException {
    three();
    shard(0, 3, 2).tensor("b", new float[] {2}, 1).write(part(2, 3));
    assertThatThrownBy(() -> GgufFile.open(part(0, 3))).hasMessageContaining("split.no");
    shard(2, 4, 2).tensor("b", new float[] {2}, 1).write(part(2, 3));
    assertThatThrownBy(() -> GgufFile.open(part(0, 3))).hasMessageContaining("split.count");
    shard(2, 3, 2).tensor("a", new float[] {2}, 1).write(part(2, 3));
    assertThatThrownBy(() -> GgufFile.open(part(0, 3))).hasMessageContaining("earlier part");
    shard(2, 3, 2).write(part(2, 3));
    assertThatThrownBy(() -> GgufFile.open(part(0, 3)))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining("split.tensors.count");
  }

  @Test
  void refusesANumberOfAnotherTypeBecauseNativeCodeAbortsOnIt() throws IOException {
    three();
    shard(1, 3, 2).u32("split.no", 1).tensor("a", new float[] {1}, 1).write(part(1, 3));
    assertThatThrownBy(() -> GgufFile.open(part(0, 3)))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining("a u16");
  }
}
