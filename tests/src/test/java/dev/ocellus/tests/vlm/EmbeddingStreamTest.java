package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.embedding.EmbeddingStream;
import dev.ocellus.vlm.embedding.ImageEmbedding;
import dev.ocellus.vlm.embedding.ImageReader;
import dev.ocellus.vlm.embedding.StreamOptions;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingStreamTest {
  @TempDir static Path directory;
  private static DualEncoder encoder;

  @BeforeAll
  static void open() throws IOException {
    Path file = directory.resolve("clip.gguf");
    Converter.convert(
        Path.of("golden/models/clip-openclip/hf"),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    encoder = DualEncoder.open(file, EmbeddingOptions.cpu(1));
  }

  @AfterAll
  static void close() {
    encoder.close();
  }

  private static RgbImage image(int number) {
    return Golden.noise(60 + number % 7, 50 + number % 5, number);
  }

  private static <T> List<ImageEmbedding<T>> all(EmbeddingStream<T> stream) {
    List<ImageEmbedding<T>> found = new ArrayList<>();
    try (stream) {
      stream.forEachRemaining(found::add);
    }
    return found;
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,2", "32,4", "100,1"})
  void givesTheVectorsOfTheImagesInTheirOrder(int lookAhead, int decoders) {
    var options = new StreamOptions(lookAhead, decoders);
    Iterator<Integer> numbers = IntStream.range(0, 50).iterator();
    var found = all(encoder.embedImages(numbers, EmbeddingStreamTest::image, options));
    assertThat(found).hasSize(50);
    for (int i = 0; i < 50; i++) {
      assertThat(found.get(i)).isInstanceOf(ImageEmbedding.Vector.class);
      var vector = (ImageEmbedding.Vector<Integer>) found.get(i);
      assertThat(vector.item()).isEqualTo(i);
      assertThat(vector.vector()).isEqualTo(encoder.embedImage(image(i)));
    }
    float[] features = encoder.imageFeatures(List.of(image(7))).getFirst();
    var raw = all(encoder.imageFeatures(List.of(7).iterator(), n -> image(n), options));
    assertThat(((ImageEmbedding.Vector<Integer>) raw.getFirst()).vector()).isEqualTo(features);
  }

  @Test
  void goesOnBehindImagesThatCannotBeRead() {
    ImageReader<Integer> reader =
        n -> {
          switch (n % 5) {
            case 1 -> throw new NoSuchFileException(n + ".png");
            case 3 -> throw ImageFormatException.corrupt("image " + n);
            default -> {
              return image(n);
            }
          }
        };
    var found = all(encoder.embedImages(IntStream.range(0, 40).iterator(), reader));
    assertThat(found)
        .extracting(ImageEmbedding::item)
        .isEqualTo(IntStream.range(0, 40).boxed().toList());
    for (int i = 0; i < 40; i++) {
      switch (found.get(i)) {
        case ImageEmbedding.Vector<Integer> v -> {
          assertThat(i % 5).isNotIn(1, 3);
          assertThat(v.vector()).isEqualTo(encoder.embedImage(image(i)));
        }
        case ImageEmbedding.Failure<Integer> f ->
            assertThat(f.cause())
                .isInstanceOf(i % 5 == 1 ? NoSuchFileException.class : ImageFormatException.class);
      }
    }
  }

  /** However many images there are, so many at most are on their way. */
  @Test
  void readsNoFurtherAheadThanAsked() {
    AtomicInteger asked = new AtomicInteger();
    int done = 0;
    Iterator<Integer> endless = Stream.generate(asked::getAndIncrement).iterator();
    try (var stream =
        encoder.embedImages(endless, EmbeddingStreamTest::image, new StreamOptions(6, 2))) {
      for (; done < 60; done++) {
        assertThat(stream.next().item()).isEqualTo(done);
        // those that are read, those of the batch that was encoded last, and one that hasNext took
        assertThat(asked.get() - done).isLessThanOrEqualTo(6 + 3 + 1);
      }
    }
  }

  /** The second image is read while the first waits for nobody. */
  @Test
  void readsImagesSideBySide() {
    CountDownLatch both = new CountDownLatch(2);
    ImageReader<Integer> reader =
        n -> {
          both.countDown();
          try {
            both.await(); // for ever, if there were one thread
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
          return image(n);
        };
    assertThat(all(encoder.embedImages(List.of(1, 2).iterator(), reader, new StreamOptions(4, 2))))
        .allMatch(ImageEmbedding.Vector.class::isInstance);
  }

  @Test
  void endsWhereAskedTo() throws InterruptedException {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch never = new CountDownLatch(1);
    ImageReader<Integer> reader =
        n -> {
          reading.countDown();
          try {
            never.await();
          } catch (InterruptedException e) {
            throw new IOException(e);
          }
          return image(n);
        };
    EmbeddingStream<Integer> stream = encoder.embedImages(List.of(1, 2, 3).iterator(), reader);
    Thread closer =
        Thread.ofPlatform()
            .start(() -> {
              try {
                reading.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              stream.close();
            });
    assertThatThrownBy(stream::next).isInstanceOf(CancellationException.class);
    closer.join();
    stream.close();
    var early = encoder.embedImages(List.of(1).iterator(), EmbeddingStreamTest::image);
    early.close();
    assertThatThrownBy(early::next).isInstanceOf(CancellationException.class);
  }

  @Test
  void passesOnWhatIsWrongWithTheSourceOrTheReader() {
    Iterator<Integer> broken =
        Stream.of(1, 2, 3).peek(n -> Integer.parseInt(n == 3 ? "three" : "0")).iterator();
    try (var stream =
        encoder.embedImages(broken, EmbeddingStreamTest::image, new StreamOptions(1, 1))) {
      assertThatThrownBy(() -> stream.forEachRemaining(image -> {}))
          .isInstanceOf(NumberFormatException.class);
    }
    ImageReader<Integer> mistake =
        n -> {
          throw new IllegalStateException("mistake " + n);
        };
    try (var stream = encoder.embedImages(List.of(1).iterator(), mistake)) {
      assertThatThrownBy(stream::next).isInstanceOf(IllegalStateException.class);
    }
    try (var stream = encoder.embedImages(List.<Integer>of().iterator(), mistake)) {
      assertThat(stream.hasNext()).isFalse();
      assertThatThrownBy(stream::next).isInstanceOf(NoSuchElementException.class);
    }
    assertThatThrownBy(() -> new StreamOptions(0, 1)).hasMessageContaining("lookAhead");
    assertThatThrownBy(() -> new StreamOptions(1, 0)).hasMessageContaining("decoders");
  }
}
