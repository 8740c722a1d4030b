package dev.ocellus.server.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class PixelBudgetTest {
  /** Of one image below. */
  private static final long BYTES = 3L * 1024 * 1024;

  private static final ImageLimits LIMITS = new ImageLimits(1 << 20, 1 << 20, 1024, 1);

  private static byte[] png(int side) throws IOException {
    var file = new ByteArrayOutputStream();
    ImageIO.write(new BufferedImage(side, side, BufferedImage.TYPE_BYTE_BINARY), "png", file);
    return file.toByteArray();
  }

  @Test
  void countsWhatIsHeld() throws Exception {
    var budget = new PixelBudget(10 * BYTES);
    RgbImage image = budget.decode(png(1024), LIMITS);
    assertThat(budget.taken()).isEqualTo(BYTES);
    Reference.reachabilityFence(image);
    assertThat(budget.decode(png(64), LIMITS).width()).isEqualTo(64);
    assertThat(budget.taken()).isLessThanOrEqualTo(BYTES);
  }

  @Test
  void givesBackWhatFailed() throws Exception {
    var budget = new PixelBudget(BYTES);
    assertThatThrownBy(() -> budget.decode(new byte[100], LIMITS))
        .isInstanceOf(ImageFormatException.class);
    assertThat(budget.taken()).isZero();
  }

  /** Far more together than fit, each let go of when it was looked at. */
  @Test
  void waitsForWhatNobodyNeedsAnyMore() throws Exception {
    var budget = new PixelBudget(2 * BYTES);
    byte[] file = png(1024);
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> all = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        all.add(threads.submit(() -> budget.decode(file, LIMITS).width()));
      }
      for (Future<Integer> one : all) {
        assertThat(one.get()).isEqualTo(1024);
      }
    }
  }

  @Test
  void decodesAFileOnceAndLetsGoOfItForOthers() throws Exception {
    var budget = new PixelBudget(5 * BYTES);
    byte[] file = png(1024);
    RgbImage first = budget.decode(file, LIMITS);
    assertThat(budget.decode(file.clone(), LIMITS)).isSameAs(first);
    assertThat(budget.decode(file, LIMITS.withMaxPixels(1 << 20).withMaxPixels(1 << 21)))
        .as("within other limits")
        .isNotSameAs(first)
        .isEqualTo(first);
    assertThatThrownBy(() -> budget.decode(file, LIMITS.withMaxPixels(1000)))
        .isInstanceOf(ImageFormatException.class);

    var narrow = new PixelBudget(4 * BYTES); // a quarter of it is one image
    first = narrow.decode(file, LIMITS);
    RgbImage second = narrow.decode(png(1023), LIMITS);
    assertThat(narrow.decode(png(1023), LIMITS)).isSameAs(second);
    assertThat(narrow.decode(file, LIMITS)).isNotSameAs(first);
  }

  @Test
  void takesOneThatIsLargerThanAllWhenItIsAlone() throws Exception {
    var budget = new PixelBudget(1000);
    assertThat(budget.decode(png(1024), LIMITS).width()).isEqualTo(1024);
  }
}
