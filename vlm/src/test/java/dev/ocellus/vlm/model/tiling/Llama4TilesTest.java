package dev.ocellus.vlm.model.tiling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.model.tiling.TiledCanvas.Arrangement;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class Llama4TilesTest {
  /** What {@code get_best_fit} and {@code get_max_res_without_distortion} of transformers give. */
  @Test
  void hasTheSizesOfTransformers() throws IOException {
    List<String> lines = Files.readAllLines(Path.of("src/test/resources/llama4-tiles.txt"));
    assertThat(lines).hasSizeGreaterThan(400);
    for (String line : lines.subList(1, lines.size())) {
      int[] n = Arrays.stream(line.split(" ")).mapToInt(Integer::parseInt).toArray();
      var tiles = new Llama4Tiles(n[2], n[3], n[4] == 1, ResizeFilter.BILINEAR);
      ImageSize size = new ImageSize(n[0], n[1]);
      Arrangement found = tiles.arrangement(size);
      assertThat(found).as(line).isEqualTo(new Arrangement(n[5], n[6]));
      assertThat(tiles.size(size, found)).as(line).isEqualTo(new ImageSize(n[7], n[8]));
    }
  }

  @Test
  void addsTheWholeImageBehindSeveralTiles() {
    var tiles = new Llama4Tiles(4, 32, false, ResizeFilter.BILINEAR);
    RgbImage wide = RgbImage.of(64, 32, new byte[3 * 64 * 32]);
    List<RgbImage> cut = tiles.cut(wide, tiles.arrangement(wide.size()));
    assertThat(cut).hasSize(3).allMatch(tile -> tile.size().equals(new ImageSize(32, 32)));
    Llama4Tiles one = tiles.atMost(1);
    assertThat(one.cut(wide, one.arrangement(wide.size()))).hasSize(1);
  }
}
