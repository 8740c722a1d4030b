package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.generation.CodeModel;
import dev.ocellus.vlm.generation.ComputeOptions;
import dev.ocellus.vlm.generation.Critic;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.ImageCodes;
import dev.ocellus.vlm.generation.ImageQuality;
import dev.ocellus.vlm.generation.ImageSizeException;
import dev.ocellus.vlm.generation.NoiseGenerator;
import dev.ocellus.vlm.generation.VqModel;
import dev.ocellus.vlm.generation.Wasserstein;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.model.WrongModelKindException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The embedded models that make images, and what is refused. */
class EmbeddedImageModelsTest {
  private static final ComputeOptions CPU = ComputeOptions.cpu(1);
  private static final CancellationFlag NEVER = new CancellationFlag();
  private static final int GRAY = 0x808080;

  @Test
  void aDrawnCircleComesBack() throws IOException {
    try (VqModel vq = VqModel.open(DemoModel.vq(), CPU)) {
      RgbImage circle =
          vq.fit(ImageDecoder.decode(Path.of("../docs/pictures/red-circle.png")), vq.imageSize());
      ImageQuality quality = ImageQuality.of(circle, vq.decode(vq.encode(circle)).image());
      assertThat(quality.psnr()).isGreaterThan(20);
      assertThat(ImageQuality.of(circle, circle).ssim()).isCloseTo(1, within(1e-12));
    }
  }

  @Test
  void whatTheModelDrawsIsLikelyAndTheSameCodesShuffledAreNot() throws IOException {
    try (CodeModel model = CodeModel.open(DemoModel.vq(), CPU)) {
      int number = model.classOf("a blue square, please");
      int[] classes = {number, number, number, number};
      List<ImageCodes> drawn =
          model.draw(classes, DrawOptions.seeded(5).withCount(4), DrawOptions.Listener.NONE, NEVER);
      double sum = 0;
      double shuffledSum = 0;
      for (ImageCodes codes : drawn) {
        sum += model.score(codes, number, NEVER).logLikelihood();
        List<Integer> all = new ArrayList<>(IntStream.of(codes.codes()).boxed().toList());
        Collections.shuffle(all, new Random(1));
        int[] shuffled = all.stream().mapToInt(Integer::intValue).toArray();
        shuffledSum += model.score(new ImageCodes(8, 8, shuffled), number, NEVER).logLikelihood();
      }
      assertThat(sum).isGreaterThan(shuffledSum + 200);
    }
  }

  @Test
  void anImageIsTheSameAloneAndAmongOthers() throws IOException {
    try (CodeModel model = CodeModel.open(DemoModel.vq(), CPU)) {
      DrawOptions options = DrawOptions.seeded(11);
      List<ImageCodes> three =
          model.draw(new int[] {3, 4, 5}, options.withCount(3), DrawOptions.Listener.NONE, NEVER);
      List<ImageCodes> alone =
          model.draw(new int[] {4}, DrawOptions.seeded(12), DrawOptions.Listener.NONE, NEVER);
      assertThat(alone.getFirst()).isEqualTo(three.get(1));
    }
  }

  @Test
  void whatIsNotDrawnYetIsGray() throws IOException {
    try (CodeModel model = CodeModel.open(DemoModel.vq(), CPU)) {
      List<List<int[]>> seen = new ArrayList<>();
      DrawOptions.Listener listener =
          new DrawOptions.Listener() {
            @Override
            public void drawn(int done, int total) {}

            @Override
            public void drawn(int done, int total, Supplier<List<int[]>> soFar) {
              assertThat(done).isEqualTo(seen.size() + 1);
              assertThat(total).isEqualTo(64);
              seen.add(soFar.get());
            }
          };
      ImageCodes drawn =
          model.draw(new int[] {3}, DrawOptions.seeded(4), listener, NEVER).getFirst();
      assertThat(seen).hasSize(64);
      assertThat(Arrays.copyOf(seen.get(19).getFirst(), 20))
          .isEqualTo(Arrays.copyOf(drawn.codes(), 20));
      ImageCodes some = new ImageCodes(8, 8, seen.get(19).getFirst());
      RgbImage image = model.vq().decodePartly(some, 20, NEVER); // two rows and half of one
      assertThat(image.rgb(31, 23)).isNotEqualTo(GRAY);
      assertThat(image.rgb(32, 23)).isEqualTo(GRAY);
      assertThat(image.rgb(0, 24)).isEqualTo(GRAY);
      assertThat(image.rgb(63, 15)).isNotEqualTo(GRAY);
      assertThat(model.vq().decodePartly(drawn, 64, NEVER).toByteArray())
          .isEqualTo(model.vq().decode(drawn).image().toByteArray());
      assertThat(model.vq().decodePartly(drawn, 0, NEVER).toByteArray()).containsOnly(128);
      assertThatThrownBy(() -> model.vq().decodePartly(drawn, 65, NEVER))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0 to 64");
      CancellationFlag stopped = new CancellationFlag();
      stopped.cancel();
      assertThatThrownBy(() -> model.vq().decodePartly(drawn, 20, stopped))
          .isInstanceOf(ComputationCancelledException.class);
    }
  }

  @Test
  void theCriticTellsDrawnScenesFromOneColour() throws IOException {
    try (NoiseGenerator gan = NoiseGenerator.open(DemoModel.gan(), CPU);
        Critic critic = Critic.open(DemoModel.critic(), CPU)) {
      List<float[]> noise = List.of(gan.noise(1), gan.noise(2));
      assertThat(gan.generate(noise, NEVER)).hasSize(2);
      assertThat(gan.noise(1)).isEqualTo(gan.noise(1)).isNotEqualTo(gan.noise(2));
      double first = critic.score(gan.generate(noise, NEVER).getFirst().image(), NEVER);
      double second = critic.score(RgbImage.filled(32, 32, Rgb.BLACK), NEVER);
      assertThat(first).isNotEqualTo(second);
    }
  }

  @Test
  void theDistanceOfScoresIsExact() {
    double[] a = {0, 1, 3};
    double[] b = {5, 6, 8};
    assertThat(Wasserstein.exact(a, b)).isCloseTo(5, within(1e-12));
    assertThat(Wasserstein.exact(new double[] {0, 1}, new double[] {0.5}))
        .isCloseTo(0.5, within(1e-12));
    Wasserstein w = Wasserstein.of(b, a);
    assertThat(w.estimate()).isCloseTo(5, within(1e-12));
    assertThat(w.low()).isLessThan(5);
    assertThat(w.high()).isGreaterThan(5);
  }

  @Test
  void whatAModelCannotTakeIsRefused() throws IOException {
    try (VqModel vq = VqModel.open(DemoModel.vq(), CPU)) {
      assertThatThrownBy(() -> vq.decode(new ImageCodes(1, 1, new int[] {512})))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("0 to 511");
      assertThatThrownBy(() -> vq.fit(RgbImage.filled(9, 9, Rgb.BLACK), new ImageSize(60, 64)))
          .isInstanceOf(ImageSizeException.class)
          .hasMessageContaining("multiples of 8");
      assertThatThrownBy(() -> new ImageCodes(2, 2, new int[3]))
          .isInstanceOf(IllegalArgumentException.class);
    }
    assertThatThrownBy(() -> VqModel.open(DemoModel.gan(), CPU))
        .isInstanceOf(WrongModelKindException.class);
    assertThatThrownBy(() -> Critic.open(DemoModel.gan(), CPU))
        .hasMessageContaining("is a generator");
    assertThatThrownBy(() -> NoiseGenerator.open(DemoModel.files().model(), CPU))
        .isInstanceOf(WrongModelKindException.class)
        .hasMessageContaining("a text model");
  }
}
