package dev.ocellus.vlm.encoder;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.vision.Tiles;
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

  @Test
  void givesOutTilesAcrossPicturesInTheirOrder() {
    var queue = new TileQueue(List.of(tiles(0, 2), tiles(2, 1), tiles(3, 4)));
    assertThat(queue.size()).isEqualTo(7);
    assertThat(queue.next(4).pixels()).containsExactly(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3);
    Tiles last = queue.next(3);
    assertThat(last.pixels()).containsExactly(4, 4, 4, 5, 5, 5, 6, 6, 6);
    assertThat(last.n()).isEqualTo(3);
    assertThat(last.shape()).containsExactly(1L, 1L, 3L, 3L);
  }

  @Test
  void handsTheRowsBackToTheirPictures() {
    Tiles one = tiles(0, 2);
    Tiles other = tiles(2, 1);
    Map<Tiles, float[]> rows = new IdentityHashMap<>();
    new TileQueue(List.of(one, other)).distribute(new float[] {0, 0, 1, 1, 2, 2}, rows);
    assertThat(rows.get(one)).containsExactly(0, 0, 1, 1);
    assertThat(rows.get(other)).containsExactly(2, 2);
  }

  @Test
  void copiesNothingForASingleBatchOfOnePicture() {
    Tiles tiles = tiles(0, 3);
    assertThat(new TileQueue(List.of(tiles)).next(3)).isSameAs(tiles);
  }
}
