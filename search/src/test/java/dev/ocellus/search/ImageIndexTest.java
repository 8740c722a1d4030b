package dev.ocellus.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.search.IndexException.Kind;
import dev.ocellus.vlm.embedding.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.FilterDirectory;
import org.apache.lucene.store.IOContext;
import org.apache.lucene.store.IndexOutput;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageIndexTest {
  private static final IndexModel MODEL = new IndexModel("abc", "clip.gguf", 24);

  @TempDir Path folder;
  private IndexLocation location;

  @BeforeEach
  void locate() {
    location = IndexLocation.inside(folder);
  }

  private static float[] vector(int dimension, long seed) {
    Random random = new Random(seed);
    float[] vector = new float[dimension];
    for (int i = 0; i < dimension; i++) {
      vector[i] = (float) random.nextGaussian();
    }
    return Vectors.normalized(vector);
  }

  private static Entry entry(String path, String sha256) {
    return new Entry(path, 10, 20, sha256, 30, 40, null);
  }

  private void fill(IndexModel model, int from, int to) throws IOException {
    try (IndexStore store = IndexStore.open(location, model, false)) {
      for (int i = from; i < to; i++) {
        store.put(entry(i + ".png", "hash" + i), vector(model.dimension(), i));
      }
      store.commit();
    }
  }

  private static void fails(Kind kind, String message, ThrowingCallable work) {
    assertThatThrownBy(work)
        .isInstanceOfSatisfying(
            IndexException.class, e -> assertThat(e.kind()).as(e.getMessage()).isEqualTo(kind))
        .hasMessageContaining(message);
  }

  /** All are compared, in whatever segment they are; 1,152 is more than Lucene's default takes. */
  @Test
  void findsTheNearestInOrder() throws IOException {
    IndexModel model = new IndexModel("abc", "so400m.gguf", 1152);
    fill(model, 0, 40);
    fill(model, 40, 150);
    fill(model, 10, 20); // replaced by themselves
    try (IndexStore store = IndexStore.open(location, model, false)) {
      store.remove("7.png");
      store.commit();
    }
    float[] query = vector(1152, 1_000);
    List<String> expected =
        Stream.iterate(0, i -> i + 1)
            .limit(150)
            .filter(i -> i != 7)
            .sorted(Comparator.comparingDouble(i -> -Vectors.dot(query, vector(1152, i))))
            .map(i -> i + ".png")
            .toList();
    try (ImageIndex index = ImageIndex.open(location)) {
      assertThat(index.info()).isEqualTo(new IndexInfo("abc", "so400m.gguf", 1152, 149, 0));
      List<SearchHit> hits = index.search(query, 1_000);
      assertThat(hits)
          .extracting(hit -> folder.relativize(hit.path()).toString())
          .containsExactlyElementsOf(expected);
      assertThat(hits.getFirst().score())
          .isCloseTo(
              (float) Vectors.dot(query, vector(1152, number(expected.getFirst()))), within(1e-6f));
      assertThat(index.search(query, 3)).isEqualTo(hits.subList(0, 3));
      assertThat(index.search(vector(1152, 33), 1).getFirst().score()).isCloseTo(1, within(1e-6f));
      assertThatThrownBy(() -> index.search(vector(24, 1), 1))
          .hasMessageContaining("expected 1152 numbers, as the index has, found 24");
      assertThatThrownBy(() -> index.search(query, 0)).hasMessageContaining("max");
    }
  }

  private static int number(String path) {
    return Integer.parseInt(path.replace(".png", ""));
  }

  /** The graph misses few of the best of many. */
  @Test
  void findsTheNearestOfManyByTheGraph() throws IOException {
    int n = 12_000;
    fill(MODEL, 0, n);
    float[][] vectors = new float[n][];
    for (int i = 0; i < n; i++) {
      vectors[i] = vector(24, i);
    }
    int found = 0;
    try (ImageIndex index = ImageIndex.open(location)) {
      for (int q = 0; q < 20; q++) {
        float[] query = vector(24, 100_000 + q);
        List<String> best =
            Stream.iterate(0, i -> i + 1)
                .limit(n)
                .sorted(Comparator.comparingDouble(i -> -Vectors.dot(query, vectors[i])))
                .limit(10)
                .map(i -> i + ".png")
                .toList();
        for (SearchHit hit : index.search(query, 10)) {
          found += best.contains(hit.path().getFileName().toString()) ? 1 : 0;
        }
      }
    }
    assertThat(found).isGreaterThanOrEqualTo(190); // of 200
  }

  @Test
  void goesOnFromTheLastCommit() throws IOException {
    try (IndexStore store = IndexStore.open(location, MODEL, false)) {
      store.put(entry("kept.png", "a"), vector(24, 1));
      store.commit();
      store.put(entry("lost.png", "b"), vector(24, 2));
    }
    try (ImageIndex index = ImageIndex.open(location);
        IndexStore store = IndexStore.open(location, MODEL, false)) {
      assertThat(store.known()).containsOnlyKeys("kept.png");
      assertThat(store.known().get("kept.png")).isEqualTo(entry("kept.png", "a"));
      store.putCopy(new Entry("moved.png", 10, 21, "a", 0, 0, null));
      store.put(new Entry("bad.png", 1, 2, "c", 0, 0, "no image"), null);
      store.commit();
      // who has it open sees what was there
      assertThat(index.search(vector(24, 1), 9)).hasSize(1);
    }
    try (ImageIndex index = ImageIndex.open(location)) {
      assertThat(index.info().nUnreadable()).isEqualTo(1);
      assertThat(index.search(vector(24, 1), 9))
          .extracting(hit -> hit.path().getFileName().toString(), SearchHit::width)
          .containsExactly(tuple("kept.png", 30), tuple("moved.png", 30));
    }
  }

  @Test
  void refusesASecondWriter() throws IOException {
    try (IndexStore first = IndexStore.open(location, MODEL, false)) {
      assertThat(first.known()).isEmpty();
      fails(
          Kind.BUSY,
          "is being written by another process",
          () -> IndexStore.open(location, MODEL, false));
      fails(Kind.MISSING, "nothing was committed", () -> ImageIndex.open(location));
    }
    fill(MODEL, 0, 1);
  }

  @Test
  void refusesAnotherModelUnlessItIsToBeginAnew() throws IOException {
    fill(MODEL, 0, 3);
    IndexModel other = new IndexModel("xyz", "other.gguf", 48);
    fails(
        Kind.OTHER_MODEL,
        "was made with another model, clip.gguf (24 numbers a vector)",
        () -> IndexStore.open(location, other, false));
    try (IndexStore store = IndexStore.open(location, other, true)) {
      assertThat(store.known()).isEmpty();
      store.put(entry("new.png", "n"), vector(48, 9));
    } // interrupted before its first commit
    try (ImageIndex index = ImageIndex.open(location)) {
      assertThat(index.info()).isEqualTo(new IndexInfo("abc", "clip.gguf", 24, 3, 0));
    }
    try (IndexStore store = IndexStore.open(location, other, true)) {
      store.put(entry("new.png", "n"), vector(48, 9));
      store.commit();
    }
    try (ImageIndex index = ImageIndex.open(location)) {
      assertThat(index.info()).isEqualTo(new IndexInfo("xyz", "other.gguf", 48, 1, 0));
      assertThat(index.search(vector(48, 9), 5)).hasSize(1);
    }
  }

  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(location.index())) {
      return files.filter(f -> !f.endsWith("write.lock")).sorted().toList();
    }
  }

  /** Each file cut, emptied, overwritten, deleted: an explained error or the right answer. */
  @Test
  void saysThatItIsDamaged() throws IOException {
    fill(MODEL, 0, 30);
    List<byte[]> contents = new ArrayList<>();
    List<Path> files = files();
    for (Path file : files) {
      contents.add(Files.readAllBytes(file));
    }
    int damaged = 0;
    for (int f = 0; f < files.size(); f++) {
      byte[] whole = contents.get(f);
      byte[] half = Arrays.copyOf(whole, whole.length / 2);
      byte[] wrong = whole.clone();
      for (int i = wrong.length / 3; i < wrong.length / 2; i++) {
        wrong[i] ^= 0x5a;
      }
      for (byte[] bytes : new byte[][] {half, {}, wrong, whole}) {
        damage(files.get(f), bytes, bytes == whole);
        damaged += isRefused() ? 1 : 0;
        try (IndexStore store = IndexStore.open(location, MODEL, true)) {
          assertThat(store.known()).isEmpty();
          store.put(entry("0.png", "x"), vector(24, 0));
          store.commit();
        }
        try (ImageIndex index = ImageIndex.open(location)) {
          assertThat(index.search(vector(24, 0), 5)).hasSize(1);
        }
        restore(files, contents);
      }
    }
    assertThat(damaged).isEqualTo(files.size() * 4);
  }

  private static void damage(Path file, byte[] bytes, boolean delete) throws IOException {
    if (delete) {
      Files.delete(file);
    } else {
      Files.write(file, bytes);
    }
  }

  private void restore(List<Path> files, List<byte[]> contents) throws IOException {
    for (Path file : files()) {
      Files.delete(file);
    }
    for (int i = 0; i < files.size(); i++) {
      Files.write(files.get(i), contents.get(i));
    }
  }

  /** An update reads all of it before it goes on; a search may get by without what is broken. */
  private boolean isRefused() throws IOException {
    try (ImageIndex index = ImageIndex.open(location)) {
      index.search(vector(24, 3), 3);
    } catch (IndexException e) {
      assertThat(e.kind()).isIn(Kind.DAMAGED, Kind.MISSING, Kind.UNKNOWN_FORMAT);
    }
    try (IndexStore store = IndexStore.open(location, MODEL, false)) {
      return store.known().isEmpty(); // no commit is left: a new index
    } catch (IndexException e) {
      assertThat(e.kind()).as(e.getMessage()).isIn(Kind.DAMAGED, Kind.UNKNOWN_FORMAT);
      return true;
    }
  }

  /** What was committed stays, and the next update goes on from there. */
  @Test
  void keepsWhatWasCommittedWhenTheDiskIsFull() throws IOException {
    fill(MODEL, 0, 5);
    Directory full = new FullDisk(FSDirectory.open(location.index()), 20_000);
    try (IndexStore store = IndexStore.open(location.index(), full, MODEL, false)) {
      fails(
          Kind.NOT_WRITTEN,
          "No space left on device. It is as it was committed last",
          () -> {
            for (int i = 5; i < 500; i++) {
              store.put(entry(i + ".png", "hash" + i), vector(24, i));
            }
            store.commit();
          });
    }
    try (ImageIndex index = ImageIndex.open(location)) {
      assertThat(index.info().nImages()).isEqualTo(5);
    }
    fill(MODEL, 5, 8);
    try (ImageIndex index = ImageIndex.open(location)) {
      assertThat(index.info().nImages()).isEqualTo(8);
    }
  }

  @Test
  void doesNotGoWhereOtherFilesAre() throws IOException {
    Path other = Files.createDirectories(folder.resolve("documents"));
    Files.writeString(other.resolve("letter.txt"), "x");
    IndexLocation there = new IndexLocation(folder, other);
    fails(
        Kind.UNKNOWN_FORMAT,
        "the folder holds other files, such as letter.txt",
        () -> IndexStore.open(there, MODEL, true));
    IndexLocation file = new IndexLocation(folder, other.resolve("letter.txt"));
    fails(Kind.NOT_WRITTEN, "letter.txt is a file", () -> IndexStore.open(file, MODEL, false));
    fails(Kind.MISSING, "does not exist", () -> ImageIndex.open(location));
    fill(MODEL, 0, 1);
    assertThat(folder.resolve(".ocellus/.gitignore")).hasContent("*");
  }

  @Test
  void findsDuplicates() throws IOException {
    float[] a = vector(24, 1);
    float[] near = a.clone();
    near[0] += 0.05f;
    try (IndexStore store = IndexStore.open(location, MODEL, false)) {
      store.put(new Entry("small.png", 1, 1, "s", 10, 10, null), Vectors.normalized(near));
      store.put(new Entry("large.png", 2, 1, "l", 100, 100, null), a);
      store.put(new Entry("copy.png", 2, 1, "l", 100, 100, null), a);
      store.put(entry("other.png", "o"), vector(24, 2));
      store.put(entry("bad.png", "b"), null);
      store.commit();
    }
    try (ImageIndex index = ImageIndex.open(location)) {
      List<DuplicateGroup> groups = index.duplicates(0.98, ProgressListener.NONE);
      assertThat(groups).hasSize(1);
      assertThat(groups.getFirst().isIdentical()).isFalse();
      assertThat(groups.getFirst().images())
          .extracting(d -> d.path().getFileName() + " " + d.identical())
          .containsExactly("copy.png true", "large.png true", "small.png false");
      assertThat(groups.getFirst().images().get(2).cosine())
          .isCloseTo((float) Vectors.dot(a, Vectors.normalized(near)), within(1e-6f));
      assertThat(index.identical()).hasSize(1);
      assertThat(index.identical().getFirst().images()).hasSize(2);
      assertThat(index.identical().getFirst().isIdentical()).isTrue();
      assertThat(index.duplicates(0.9999, ProgressListener.NONE).getFirst().images()).hasSize(2);
      assertThatThrownBy(() -> index.duplicates(0, ProgressListener.NONE))
          .hasMessageContaining("minCosine");
      assertThatThrownBy(() -> index.duplicates(0.9, (done, total) -> false))
          .isInstanceOf(CancellationException.class);
    }
  }

  /** A folder in which so many bytes can be written. */
  private static final class FullDisk extends FilterDirectory {
    private long left;

    FullDisk(Directory files, long bytes) {
      super(files);
      left = bytes;
    }

    private void take(long bytes) throws IOException {
      left -= bytes;
      if (left < 0) {
        throw new IOException("No space left on device");
      }
    }

    @Override
    public IndexOutput createOutput(String name, IOContext context) throws IOException {
      IndexOutput out = in.createOutput(name, context);
      return new IndexOutput(out.toString(), name) {
        @Override
        public void writeByte(byte b) throws IOException {
          take(1);
          out.writeByte(b);
        }

        @Override
        public void writeBytes(byte[] b, int offset, int length) throws IOException {
          take(length);
          out.writeBytes(b, offset, length);
        }

        @Override
        public long getFilePointer() {
          return out.getFilePointer();
        }

        @Override
        public long getChecksum() throws IOException {
          return out.getChecksum();
        }

        @Override
        public void close() throws IOException {
          out.close();
        }
      };
    }
  }
}
