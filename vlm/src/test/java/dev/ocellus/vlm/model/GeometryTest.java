package dev.ocellus.vlm.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Preprocess;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.model.tiling.AnyRes;
import dev.ocellus.vlm.model.tiling.PanAndScan;
import dev.ocellus.vlm.model.tiling.SmartResize;
import dev.ocellus.vlm.model.tiling.WholeTiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Sizes, grids and numbers of tokens that the PIL image processors of transformers 5.18 chose, for
 * the published limits and for small ones: squares, primes, single pixels, images of 100
 * megapixels, and images so thin that the processors fail.
 *
 * <p>In {@code geometry.txt} a line that begins with # names a rule and its parameters; the lines
 * after it are width, height and the result: the resized size where the rule chooses one, tiles
 * across and down where there are tiles, and tokens (for pan and scan the number of crops, and the
 * sizes of the first and the last); or {@code error} where the processor raises.
 */
class GeometryTest {
  /** A rule with its parameters. */
  private interface Rule {
    int[] apply(ImageSize size);
  }

  @Test
  void choosesWhatTheReferencesProcessorsChoose() throws IOException {
    try (InputStream in = GeometryTest.class.getResourceAsStream("geometry.txt")) {
      assertThat(differences(Objects.requireNonNull(in, "geometry.txt"))).isEmpty();
    }
  }

  static List<String> differences(InputStream in) throws IOException {
    List<String> differences = new ArrayList<>();
    Rule rule = size -> new int[0];
    String name = "";
    int n = 0;
    var reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII));
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      if (line.startsWith("# ")) {
        name = line;
        rule = rule(line.substring(2).split(" "));
        continue;
      }
      String[] words = line.split(" ", 3);
      var size = new ImageSize(Integer.parseInt(words[0]), Integer.parseInt(words[1]));
      String found = result(rule, size);
      n++;
      if (!found.equals(words[2])) {
        differences.add("%s: %s: expected %s, found %s".formatted(name, size, words[2], found));
      }
    }
    assertThat(n).as("sizes compared").isGreaterThan(1000);
    return differences;
  }

  private static String result(Rule rule, ImageSize size) {
    try {
      return String.join(" ", Arrays.stream(rule.apply(size)).mapToObj(Integer::toString).toList());
    } catch (ImageFormatException e) {
      return "error";
    }
  }

  private static Rule rule(String[] words) {
    int[] p = Arrays.stream(words).skip(1).mapToInt(GeometryTest::number).toArray();
    return switch (words[0]) {
      case "qwen2-vl" -> size -> qwen(SmartResize.QWEN, size, p[0], p[1], p[2]);
      case "glm4v" -> size -> qwen(SmartResize.GLM, size, p[0], p[1], p[2]);
      case "paddleocr-vl" -> size -> qwen(SmartResize.PADDLE, size, p[0], p[1], p[2]);
      case "llava-next" -> {
        List<ImageSize> canvases = canvases(words[3]);
        yield size -> llavaNext(size, p[0], p[1], canvases);
      }
      case "internvl" ->
          size -> {
            ImageSize grid = InternVl.tileGrid(size, p[0], p[1], p[2]);
            int n = grid.width() * grid.height();
            return new int[] {grid.width(), grid.height(), (n > 1 ? n + 1 : 1) * p[3]};
          };
      case "idefics3" -> size -> idefics3(size, p[0], p[1], p[2]);
      case "pixtral" ->
          size -> {
            int unit = p[1] * p[2];
            ImageSize resized = Pixtral.resized(size, p[0], unit);
            return new int[] {
              resized.width(), resized.height(), resized.width() / unit * (resized.height() / unit)
            };
          };
      case "janus" -> size -> fixed(JanusPro.fitted(size, p[0], 14), p[0] / p[1]);
      case "pan-and-scan" -> size -> crops(PanAndScan.crops(size));
      case "llava" -> size -> fixed(Preprocess.shortestEdgeSize(size, p[0]), p[0] / p[1]);
      default -> throw new IllegalArgumentException("no rule " + words[0]);
    };
  }

  /** Lists are read where they are used. */
  private static int number(String word) {
    return word.indexOf('x') < 0 ? Integer.parseInt(word) : 0;
  }

  /** Their number, and the sizes of the first and the last. */
  private static int[] crops(List<PanAndScan.Crop> crops) {
    if (crops.isEmpty()) {
      return new int[] {0};
    }
    PanAndScan.Crop first = crops.getFirst();
    PanAndScan.Crop last = crops.getLast();
    return new int[] {crops.size(), first.width(), first.height(), last.width(), last.height()};
  }

  private static int[] fixed(ImageSize resized, int grid) {
    return new int[] {resized.width(), resized.height(), grid * grid};
  }

  private static int[] qwen(SmartResize rule, ImageSize size, int patchSize, int min, int max) {
    int factor = 2 * patchSize;
    ImageSize resized = rule.resize(size, factor, min, max);
    int tokens = Math.toIntExact(resized.pixels() / factor / factor);
    return new int[] {resized.width(), resized.height(), tokens};
  }

  /** Pairs of height and width. */
  private static List<ImageSize> canvases(String pinpoints) {
    return Arrays.stream(pinpoints.split(","))
        .map(pair -> pair.split("x"))
        .map(pair -> new ImageSize(Integer.parseInt(pair[1]), Integer.parseInt(pair[0])))
        .toList();
  }

  private static int[] llavaNext(
      ImageSize size, int side, int patchSize, List<ImageSize> canvases) {
    int grid = side / patchSize;
    var anyRes = new AnyRes(side, grid, canvases, ResizeFilter.BICUBIC);
    ImageSize canvas = anyRes.canvas(size);
    ImageSize fitted = AnyRes.fitted(size, canvas);
    int x = canvas.width() / side;
    int y = canvas.height() / side;
    int tokens = grid * grid + anyRes.window(size).nRows();
    return new int[] {fitted.width(), fitted.height(), x, y, tokens};
  }

  private static int[] idefics3(ImageSize size, int side, int longestSide, int perTile) {
    ImageSize first = WholeTiles.firstSize(size, longestSide);
    ImageSize whole = WholeTiles.wholeTiles(first, side);
    int x = whole.width() / side;
    int y = whole.height() / side;
    int tokens = (x * y > 1 ? x * y + 1 : 1) * perTile;
    return new int[] {first.width(), first.height(), x, y, tokens};
  }
}
