package dev.ocellus.vlm.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.vision.EncodedImage;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class ImagesInWorkTest {
  private static final EncodedImage IMAGE = new EncodedImage(new float[0], 0, 1, List.of());

  private final ImagesInWork work = new ImagesInWork();

  @Test
  void oneEncodesAndTheOthersWait() throws Exception {
    assertThat(work.begin("a")).isTrue();
    assertThat(work.begin("a")).isFalse();
    assertThat(work.begin("b")).isTrue();
    CompletableFuture<EncodedImage> other =
        CompletableFuture.supplyAsync(() -> work.await("a", new CancellationFlag()));
    work.end("a", IMAGE);
    // it waited, or came when all was over, and looks into the cache then
    assertThat(other.get()).isIn(IMAGE, null);
    assertThat(work.begin("a")).isTrue();
    assertThat(work.await("c", new CancellationFlag())).isNull();
  }

  @Test
  void whoeverWaitsBeginsWhenThereIsNoImage() throws Exception {
    work.begin("a");
    CompletableFuture<EncodedImage> other =
        CompletableFuture.supplyAsync(() -> work.await("a", new CancellationFlag()));
    work.end("a", null);
    assertThat(other.get()).isNull();
    assertThat(work.begin("a")).isTrue();
  }

  @Test
  void nobodyWaitsLongerThanTheyWant() {
    work.begin("a");
    var flag = new CancellationFlag();
    flag.cancel();
    assertThatThrownBy(() -> work.await("a", flag))
        .isInstanceOf(ComputationCancelledException.class);
  }

  @Test
  void endsOnlyWhatWasBegun() {
    assertThatThrownBy(() -> work.end("a", IMAGE)).isInstanceOf(IllegalStateException.class);
  }
}
