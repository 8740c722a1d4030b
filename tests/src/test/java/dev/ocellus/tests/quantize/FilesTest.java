package dev.ocellus.tests.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.quantize.SizeTarget;
import dev.ocellus.quantize.file.GgufDiff;
import dev.ocellus.quantize.file.GgufEditor;
import dev.ocellus.quantize.file.GgufEditor.Change;
import dev.ocellus.quantize.file.GgufHash;
import dev.ocellus.quantize.file.GgufSplitter;
import dev.ocellus.quantize.file.MetadataText;
import dev.ocellus.quantize.imatrix.ImatrixException;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tools that rewrite files: edit, split, join, hash, diff, and importance matrices. */
class FilesTest {
  @TempDir Path directory;

  @Test
  void splitsAndJoinsToTheSameTensors() throws IOException {
    Path joined = directory.resolve("joined.gguf");
    try (GgufFile file = GgufFile.open(LlamaCppGolden.TEXT)) {
      List<List<GgufTensor>> plan =
          GgufSplitter.plan(file, new GgufSplitter.Limit.Bytes(500_000), true);
      List<Path> parts = GgufSplitter.split(file, directory.resolve("m"), plan);
      assertThat(parts.getFirst()).hasFileName("m-00001-of-0000%d.gguf".formatted(parts.size()));
      assertThat(plan.getFirst()).isEmpty();
      try (GgufFile split = GgufFile.open(parts.getFirst())) {
        assertThat(split.files()).hasSize(parts.size());
        GgufSplitter.merge(split, joined);
      }
      try (GgufFile one = GgufFile.open(joined)) {
        assertThat(GgufHash.of(one)).isEqualTo(GgufHash.of(file));
      }
      assertThatThrownBy(() -> GgufSplitter.split(file, directory.resolve("m"), plan))
          .isInstanceOf(FileAlreadyExistsException.class);
    }
  }

  @Test
  void replacesWhatAKilledSplitLeft() throws IOException {
    try (GgufFile file = GgufFile.open(LlamaCppGolden.TEXT)) {
      List<List<GgufTensor>> plan =
          GgufSplitter.plan(file, new GgufSplitter.Limit.Bytes(500_000), false);
      List<Path> parts = GgufSplitter.split(file, directory.resolve("m"), plan);
      assertThat(parts).hasSizeGreaterThan(2);
      Files.delete(parts.getLast());
      GgufSplitter.split(file, directory.resolve("m"), plan);
      Files.delete(parts.getFirst());
      GgufSplitter.split(file, directory.resolve("m"), plan);
      assertThat(parts).allSatisfy(part -> assertThat(part).exists());

      Files.delete(parts.getLast());
      Files.copy(
          LlamaCppGolden.MMPROJ, parts.getFirst(), StandardCopyOption.REPLACE_EXISTING); // not ours
      assertThatThrownBy(() -> GgufSplitter.split(file, directory.resolve("m"), plan))
          .isInstanceOf(FileAlreadyExistsException.class)
          .hasMessageContaining("00001-of");
      assertThat(parts.getFirst()).hasSameBinaryContentAs(LlamaCppGolden.MMPROJ);
    }
  }

  @Test
  void editsTheFileThatALinkLeadsTo() throws IOException {
    Path copy = Files.copy(LlamaCppGolden.MMPROJ, directory.resolve("copy.gguf"));
    Path link = Files.createSymbolicLink(directory.resolve("link.gguf"), copy.getFileName());
    MetadataText.Entry name = MetadataText.parse("general.name=str:x");
    GgufEditor.edit(link, link, List.of(new GgufEditor.Change.Set(name.key(), name.value())));
    assertThat(link).isSymbolicLink();
    try (GgufFile edited = GgufFile.open(copy)) {
      assertThat(edited.metadata().string("general.name")).isEqualTo("x");
    }
  }

  @Test
  void editsInPlaceAndOnlyWhatItIsTold() throws IOException {
    Path copy = Files.copy(LlamaCppGolden.MMPROJ, directory.resolve("copy.gguf"));
    MetadataText.Entry tags = MetadataText.parse("general.tags=arr[str]:[\"a\", \"b\"]");
    GgufEditor.edit(
        copy,
        copy,
        List.of(
            new Change.Rename("general.architecture", "old.architecture"),
            new Change.Set("general.architecture", GgufString.of("clip")),
            new Change.Set(tags.key(), tags.value())));
    try (GgufFile a = GgufFile.open(LlamaCppGolden.MMPROJ);
        GgufFile b = GgufFile.open(copy)) {
      GgufDiff diff = GgufDiff.of(a, b);
      assertThat(diff.tensors()).isEmpty();
      assertThat(diff.metadata())
          .extracting(GgufDiff.Line::name)
          .containsExactlyInAnyOrder("old.architecture", "general.tags");
      assertThat(b.metadata().strings("general.tags")).containsExactly("a", "b");
    }
  }

  @Test
  void leavesAFileAloneThatItCannotEdit() throws IOException {
    Path copy = Files.copy(LlamaCppGolden.MMPROJ, directory.resolve("copy.gguf"));
    assertThatThrownBy(() -> GgufEditor.edit(copy, copy, List.of(new Change.Remove("no.key"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no.key");
    assertThat(copy).hasSameBinaryContentAs(LlamaCppGolden.MMPROJ);
  }

  @Test
  void explainsMetadataThatIsNotOfTheForm() {
    for (String wrong : List.of("key", "key=u8:300", "key=x:1", "key=arr[u8]:1", "=str:a")) {
      assertThatThrownBy(() -> MetadataText.parse(wrong))
          .as(wrong)
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThat(MetadataText.parse("k=f32:1e6").value().display()).isEqualTo("1000000.0");
    assertThat(MetadataText.parseOverride("k=int:-5").value().display()).isEqualTo("5");
  }

  @Test
  void readsSizes() {
    assertThat(SizeTarget.parse("3.2G").bytes()).isEqualTo(3_200_000_000L);
    assertThat(SizeTarget.parse("2MiB").bytes()).isEqualTo(2_097_152);
    assertThat(SizeTarget.parse("700000").bytes()).isEqualTo(700_000);
    assertThatThrownBy(() -> SizeTarget.parse("much"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3.2G");
  }

  @Test
  void writesImportanceMatricesAsLlamaImatrixDoes() throws IOException {
    Path file = LlamaCppGolden.file("imatrix-text.gguf");
    ImportanceMatrix matrix = ImportanceMatrix.read(file);
    Path out = directory.resolve("again.gguf");
    matrix.write(out);
    assertThat(out).hasSameBinaryContentAs(file);
  }

  @Test
  void mergesImportanceMatrices() throws IOException {
    ImportanceMatrix one = ImportanceMatrix.read(LlamaCppGolden.file("imatrix.gguf"));
    ImportanceMatrix both = one.plus(one);
    String name = "blk.0.attn_q.weight";
    assertThat(entry(both, name).counts()[0]).isEqualTo(2 * entry(one, name).counts()[0]);
    assertThat(both.importance("x").columns(name).orElseThrow())
        .isEqualTo(one.importance("x").columns(name).orElseThrow());
    assertThat(both.nChunks()).isEqualTo(2 * one.nChunks());
  }

  /** What the file format can say and llama-imatrix never does; both numbers were kept unread. */
  @Test
  void refusesImportanceMatricesWithNumbersThatNobodyCounted() throws IOException {
    assertThat(ImportanceMatrix.read(counted(0xFFFF_FFFFL, 512, 3)).nChunks())
        .isEqualTo(0xFFFF_FFFFL);
    refusesCounts(counted(-1, 512, 3), "imatrix.chunk_count", "-1");
    refusesCounts(counted(1L << 62, 512, 3), "imatrix.chunk_count", "4611686018427387904");
    refusesCounts(counted(1, 1L << 32, 3), "imatrix.chunk_size", "4294967296");
    refusesCounts(counted(1, -128, 3), "imatrix.chunk_size", "-128");
    refusesCounts(counted(1, 512, -1), "w.counts", "-1.0");
    refusesCounts(counted(1, 512, Float.NaN), "w.counts", "NaN");
    refusesCounts(counted(1, 512, 1e30f), "w.counts", "1.0E30");
  }

  private Path counted(long chunks, long size, float rows) throws IOException {
    Path file = directory.resolve("counted.gguf");
    new GgufWriter()
        .string("general.type", "imatrix")
        .strings("imatrix.datasets", List.of("x"))
        .i64("imatrix.chunk_count", chunks)
        .i64("imatrix.chunk_size", size)
        .tensor("w.in_sum2", new float[] {1, 2}, 2)
        .tensor("w.counts", new float[] {rows}, 1)
        .write(file);
    return file;
  }

  private static void refusesCounts(Path file, String... words) {
    assertThatThrownBy(() -> ImportanceMatrix.read(file))
        .isInstanceOf(ImatrixException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void refusesFilesThatAreNoImportanceMatrix() throws IOException {
    assertThatThrownBy(() -> ImportanceMatrix.read(LlamaCppGolden.TEXT))
        .isInstanceOf(ImatrixException.class)
        .hasMessageContaining("is no importance matrix");
    for (byte[] junk : new byte[][] {{}, {1, 0, 0, 0}, {1, 0, 0, 0, -1, -1, -1, 127, 1, 1, 1, 1}}) {
      Path file = directory.resolve("junk.dat");
      Files.write(file, junk);
      assertThatThrownBy(() -> ImportanceMatrix.read(file)).isInstanceOf(ImatrixException.class);
    }
  }

  private static ImportanceMatrix.Entry entry(ImportanceMatrix matrix, String name) {
    return Objects.requireNonNull(matrix.entries().get(name), name);
  }
}
