package dev.ocellus.vlm.decode;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Positions of MiniCPM-V 4.7, compared with those of transformers (canvas.py). */
class CanvasPromptTest {
  private static final CanvasPrompt.Table TABLE =
      new CanvasPrompt.Table() {
        @Override
        public int width() {
          return 1;
        }

        @Override
        public void row(int id, float[] destination, int offset) {
          destination[offset] = id;
        }
      };

  private final CanvasPrompt canvas = new CanvasPrompt(TABLE, 3, Set.of(1, 2, 3, 4, 5));

  private static List<ContextEntry> entries(JsonNode prompt) {
    List<ContextEntry> out = new ArrayList<>();
    for (JsonNode e : prompt) {
      out.add(
          e.isInt()
              ? new ContextEntry.Token(e.asInt())
              : image(out.size(), e.get(0).asInt(), e.get(1).asInt()));
    }
    return out;
  }

  /** Whose embeddings are below zero, where those of tokens are above. */
  private static ContextEntry.Image image(int number, int columns, int lines) {
    ImagePiece.Embeddings grid = ImagePiece.Embeddings.grid(columns, lines);
    float[] rows = new float[grid.count()];
    Arrays.fill(rows, -1 - number);
    return new ContextEntry.Image(
        "image " + number, new EncodedImage(rows, rows.length, 1, List.of(grid)), 0, grid);
  }

  private static List<List<Integer>> positions(List<ContextEntry> entries) {
    List<List<Integer>> out = new ArrayList<>();
    int position = 0;
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token token -> out.add(List.of(position, position, position));
        case ContextEntry.Image image -> {
          for (int row = 0; row < image.size(); row++) {
            int[] axes = ContextEntry.axes(image.embeddings(), row, position, 4, 0);
            out.add(List.of(axes[0], axes[1], axes[2]));
          }
        }
      }
      position += entry.positions();
    }
    return out;
  }

  private static float[] values(List<ContextEntry> entries) {
    List<Float> out = new ArrayList<>();
    for (ContextEntry entry : entries) {
      switch (entry) {
        case ContextEntry.Token(int id) -> out.add((float) id);
        case ContextEntry.Image image ->
            IntStream.range(0, image.size())
                .forEach(i -> out.add(image.image().values()[image.from() + i]));
      }
    }
    float[] values = new float[out.size()];
    IntStream.range(0, values.length).forEach(i -> values[i] = out.get(i));
    return values;
  }

  @TestFactory
  List<DynamicTest> standsWhereTransformersPutsIt() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (InputStream in = CanvasPromptTest.class.getResourceAsStream("canvas.jsonl")) {
      String all = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      for (String line : all.lines().toList()) {
        JsonNode c = new ObjectMapper().readTree(line);
        tests.add(DynamicTest.dynamicTest(c.get("prompt").toString(), () -> compare(c)));
      }
    }
    assertThat(tests).hasSizeGreaterThan(50);
    return tests;
  }

  private void compare(JsonNode c) {
    List<ContextEntry> before = entries(c.get("prompt"));
    List<ContextEntry> joined = canvas.join(before);
    List<List<Integer>> expected = new ArrayList<>();
    for (JsonNode p : c.get("positions")) {
      expected.add(List.of(p.get(0).asInt(), p.get(1).asInt(), p.get(2).asInt()));
    }
    assertThat(positions(joined)).isEqualTo(expected);
    assertThat(values(joined)).isEqualTo(values(before));
    assertThat(joined.stream().mapToInt(ContextEntry::positions).sum())
        .isEqualTo(c.get("next").asInt());
  }

  @Test
  void tellsFramesApart() {
    List<ContextEntry> one = canvas.join(List.of(token(1), image(0, 2, 2), token(2)));
    List<ContextEntry> same = canvas.join(List.of(token(1), image(0, 2, 2), token(2)));
    List<ContextEntry> other = canvas.join(List.of(token(1), image(9, 2, 2), token(2)));
    assertThat(one).hasSize(1);
    assertThat(one.getFirst().sameAs(same.getFirst())).isTrue();
    assertThat(one.getFirst().sameAs(other.getFirst())).isFalse();
  }

  private static ContextEntry token(int id) {
    return new ContextEntry.Token(id);
  }
}
