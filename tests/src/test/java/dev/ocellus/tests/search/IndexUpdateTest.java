package dev.ocellus.tests.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.search.ImageIndex;
import dev.ocellus.search.IndexException;
import dev.ocellus.search.IndexLocation;
import dev.ocellus.search.IndexUpdate;
import dev.ocellus.search.ProgressListener;
import dev.ocellus.search.SearchHit;
import dev.ocellus.search.UpdateOptions;
import dev.ocellus.search.UpdateReport;
import dev.ocellus.search.UpdateReport.Unreadable;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IndexUpdateTest {
  @TempDir static Path models;
  private static DualEncoder encoder;

  @TempDir Path folder;
  private IndexLocation location;

  @BeforeAll
  static void open() throws IOException {
    encoder = converted("clip-openclip");
  }

  private static DualEncoder converted(String model) throws IOException {
    Path file = models.resolve(model + ".gguf");
    Converter.convert(
        Path.of("golden/models").resolve(model).resolve("hf"),
        ConvertOptions.defaults().withOutput(file, null).withTypes(OutputType.F32, OutputType.F32),
        ConvertProgress.NONE);
    return DualEncoder.open(file, EmbeddingOptions.cpu(1));
  }

  @AfterAll
  static void close() {
    encoder.close();
  }

  @BeforeEach
  void locate() {
    location = IndexLocation.inside(folder);
  }

  private Path draw(String name, int seed) throws IOException {
    BufferedImage image = new BufferedImage(80, 60, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    for (int i = 0; i < 8; i++) {
      g.setColor(new Color(seed * 40_503 + i * 9_973_111));
      g.fillRect(i * 10, seed * 7 % 40, 10, 60);
    }
    g.dispose();
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  private UpdateReport update() throws IOException {
    return IndexUpdate.run(
        location, encoder, "clip.gguf", UpdateOptions.defaults(), ProgressListener.NONE);
  }

  private List<SearchHit> like(Path image) throws IOException {
    try (ImageIndex index = ImageIndex.open(location)) {
      index.requireModel(encoder);
      return index.search(encoder.embedImage(ImageDecoder.decode(image)), 100);
    }
  }

  @Test
  void encodesWhatIsNewAndDropsWhatIsGone() throws IOException {
    for (int i = 0; i < 30; i++) {
      draw("a/" + i + ".png", i);
    }
    assertThat(update()).isEqualTo(new UpdateReport(30, 0, 0, 0, 30, List.of()));
    assertThat(update()).isEqualTo(new UpdateReport(0, 0, 30, 0, 30, List.of()));
    SearchHit first = like(folder.resolve("a/7.png")).getFirst();
    assertThat(first.path()).isEqualTo(folder.resolve("a/7.png"));
    assertThat(first.score()).isGreaterThan(0.99999f);
    assertThat(first.width()).isEqualTo(80);
    assertThat(first.height()).isEqualTo(60);

    Files.delete(folder.resolve("a/3.png"));
    Files.move(folder.resolve("a/4.png"), folder.resolve("moved.png"));
    Files.setLastModifiedTime(folder.resolve("a/5.png"), FileTime.fromMillis(1)); // only touched
    Path changed = draw("a/6.png", 99);
    Files.setLastModifiedTime(changed, FileTime.fromMillis(2));
    draw("new.png", 77);
    assertThat(update()).isEqualTo(new UpdateReport(2, 2, 26, 2, 30, List.of()));
    assertThat(like(changed).getFirst().path()).isEqualTo(changed);
    assertThat(like(folder.resolve("moved.png")).getFirst().path())
        .isEqualTo(folder.resolve("moved.png"));
    assertThat(like(changed))
        .extracting(SearchHit::path)
        .doesNotContain(folder.resolve("a/3.png"), folder.resolve("a/4.png"));
  }

  @Test
  void reportsAndSkipsBadFiles() throws IOException {
    draw("good.png", 1);
    Files.writeString(folder.resolve("bad.jpg"), "no image");
    Files.write(folder.resolve("cut.png"), new byte[0]);
    UpdateReport first = update();
    assertThat(first.nEncoded()).isEqualTo(1);
    assertThat(first.unreadable())
        .extracting(Unreadable::path)
        .containsExactly("bad.jpg", "cut.png");
    UpdateReport second = update(); // known from the first time
    assertThat(second.nUnchanged()).isEqualTo(3);
    assertThat(second.unreadable()).isEqualTo(first.unreadable());
    Path bad = draw("bad.jpg", 2);
    Files.setLastModifiedTime(bad, FileTime.fromMillis(1));
    Path good = Files.writeString(folder.resolve("good.png"), "broken now");
    Files.setLastModifiedTime(good, FileTime.fromMillis(1));
    UpdateReport third = update();
    assertThat(third.nEncoded()).isEqualTo(1);
    assertThat(third.nImages()).isEqualTo(1);
    assertThat(third.unreadable())
        .extracting(Unreadable::path)
        .containsExactly("cut.png", "good.png");
  }

  /** What is done is kept, and is not done again. */
  @Test
  void goesOnWhereItWasInterrupted() throws IOException {
    for (int i = 0; i < 60; i++) {
      draw(i + ".png", i);
    }
    UpdateOptions often = UpdateOptions.defaults().withCommitEvery(Duration.ZERO);
    assertThatThrownBy(
            () -> IndexUpdate.run(location, encoder, "clip.gguf", often, (done, all) -> done < 20))
        .isInstanceOf(CancellationException.class)
        .hasMessage("interrupted after 20 of 60 images");
    UpdateReport rest = update();
    assertThat(rest.nUnchanged()).isEqualTo(20);
    assertThat(rest.nEncoded()).isEqualTo(40);
    assertThat(rest.nImages()).isEqualTo(60);
  }

  @Test
  void makesNothingBesideAFolderThatIsNotThere() {
    IndexLocation nowhere = IndexLocation.inside(folder.resolve("nowhere"));
    assertThatThrownBy(() ->
            IndexUpdate.run(nowhere, encoder, "x", UpdateOptions.defaults(), ProgressListener.NONE))
        .isInstanceOf(NoSuchFileException.class);
    assertThat(folder.resolve("nowhere")).doesNotExist();
  }

  @Test
  void indexesAnEmptyFolder() throws IOException {
    assertThat(update()).isEqualTo(new UpdateReport(0, 0, 0, 0, 0, List.of()));
    try (ImageIndex index = ImageIndex.open(location)) {
      assertThat(index.search(encoder.embedText("x"), 10)).isEmpty();
      assertThat(index.identical()).isEmpty();
      assertThat(index.duplicates(0.9, ProgressListener.NONE)).isEmpty();
    }
  }

  @Test
  void wantsTheModelOfTheIndex() throws IOException {
    draw("1.png", 1);
    update();
    try (DualEncoder other = converted("siglip")) {
      try (ImageIndex index = ImageIndex.open(location)) {
        assertThatThrownBy(() -> index.requireModel(other))
            .isInstanceOf(IndexException.class)
            .hasMessageContaining("was made with another model, clip.gguf");
      }
      UpdateOptions options = UpdateOptions.defaults();
      assertThatThrownBy(
              () -> IndexUpdate.run(location, other, "s", options, ProgressListener.NONE))
          .isInstanceOf(IndexException.class);
      UpdateReport anew =
          IndexUpdate.run(location, other, "s", options.withRebuild(), ProgressListener.NONE);
      assertThat(anew.nEncoded()).isEqualTo(1);
      try (ImageIndex index = ImageIndex.open(location)) {
        index.requireModel(other);
        assertThat(index.info().source()).isEqualTo("s");
      }
    }
  }
}
