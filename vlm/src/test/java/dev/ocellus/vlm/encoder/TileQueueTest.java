package dev.ocellus.vlm.encoder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.vision.Tiles;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TileQueueTest {
  /** Tiles of one pixel with three channels, whose values are the tile's number. */
  private static Tiles tiles(int first, int n) {
    float[] pixels = new float[3 * n];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = first + i / 3;
    }
    return Tiles.ofRgb(pixels, 1, 1, n, 1);
  }

  @Test
  void makesTheFewestBatchesAndTheLargerOnesFirst() {
    var queue = new TileQueue(List.of(tiles(0, 17)));
    assertThat(queue.batches(17)).containsExactly(17);
    assertThat(queue.batches(5)).containsExactly(5, 4, 4, 4);
    assertThat(queue.batches(1)).hasSize(17).containsOnly(1);
  }

  private static float[] pixels(TileQueue.Batch batch) {
    int length = 3 * batch.tiles().n();
    return Arrays.copyOfRange(batch.pixels(), batch.offset(), batch.offset() + length);
  }

  @Test
  void givesOutTilesAcrossImagesInTheirOrder() {
    var queue = new TileQueue(List.of(tiles(0, 2), tiles(2, 1), tiles(3, 4)));
    assertThat(queue.size()).isEqualTo(7);
    assertThat(pixels(queue.next(4))).containsExactly(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3);
    TileQueue.Batch last = queue.next(3);
    assertThat(last.first()).isEqualTo(4);
    assertThat(pixels(last)).containsExactly(4, 4, 4, 5, 5, 5, 6, 6, 6);
    assertThat(last.tiles().n()).isEqualTo(3);
    assertThat(last.tiles().shape()).containsExactly(1L, 1L, 3L, 3L);
  }

  @Test
  void handsTheEmbeddingsBackToTheirImages() {
    Tiles one = tiles(0, 2);
    Tiles other = tiles(2, 2);
    Map<Tiles, float[]> embeddings = new IdentityHashMap<>();
    var queue = new TileQueue(List.of(one, other));
    float[] output = {0, 0, 1, 1, 2, 2, 3, 3};
    for (int first : new int[] {3, 0}) { // one tile, then three, of two images
      queue.deliver(
          first,
          first == 0 ? 3 : 1,
          2,
          (from, n, to, offset) -> System.arraycopy(output, 2 * first + (int) from, to, offset, n),
          embeddings);
    }
    assertThat(embeddings.get(one)).containsExactly(0, 0, 1, 1);
    assertThat(embeddings.get(other)).containsExactly(2, 2, 3, 3);
  }

  @Test
  void copiesNothingForBatchesOfOneImage() {
    Tiles tiles = tiles(0, 3);
    var queue = new TileQueue(List.of(tiles));
    assertThat(queue.next(2).pixels()).isSameAs(tiles.pixels());
    assertThat(pixels(queue.next(1))).containsExactly(2, 2, 2);
    assertThat(new TileQueue(List.of(tiles)).next(3).tiles()).isSameAs(tiles);
  }
}
