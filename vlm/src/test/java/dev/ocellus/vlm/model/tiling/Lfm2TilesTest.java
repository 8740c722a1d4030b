package dev.ocellus.vlm.model.tiling;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.ImageSize;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Grids in the order in which Python goes through them, as CPython 3.11 printed them. */
class Lfm2TilesTest {
  @Test
  void comparesGridsInTheOrderOfAPythonSet() {
    assertThat(shown(2, 4)).isEqualTo("[1, 2], [2, 1], [3, 1], [1, 3], [4, 1], [1, 4], [2, 2]");
    assertThat(shown(2, 10))
        .isEqualTo(
            "[1, 2], [2, 1], [3, 1], [1, 3], [2, 2], [4, 1], [1, 4], [5, 1], [1, 5], [1, 6], [6, 1], [3, 2], [2, 3], [7, 1], [1, 7], [4, 2], [2, 4], [1, 8], [8, 1], [1, 9], [3, 3], [9, 1], [2, 5], [5, 2], [10, 1], [1, 10]");
  }

  @Test
  void keepsTheOrderOfLargerSets() throws Exception {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    byte[] hash = digest.digest(("[" + shown(1, 40) + "]").getBytes(UTF_8));
    assertThat(HexFormat.of().formatHex(hash))
        .isEqualTo("a32d7d47faf4d3570df3229d858f73ce759c2d304986942a50c80599c718e954");
  }

  private static String shown(int minTiles, int maxTiles) {
    List<ImageSize> grids = Lfm2Tiles.grids(minTiles, maxTiles);
    return grids.stream()
        .map(g -> "[%d, %d]".formatted(g.width(), g.height()))
        .collect(Collectors.joining(", "));
  }
}
