package dev.ocellus.tests.reference;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.safetensors.SafetensorsFile;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Golden data of a dual encoder: {@code models/M/hf}, and {@code models/M/cases/C} with texts and
 * images that are compared with each other.
 *
 * @param reference the directory that it is in
 * @param model its name
 */
record DualReference(Reference reference, String model) {
  private static final Set<String> CLASSES = Set.of("CLIPModel", "SiglipModel", "Siglip2Model");

  /** All in a directory, by the class that their configurations name. */
  static List<DualReference> in(Reference reference) {
    try (Stream<Path> models = Files.list(reference.root().resolve("models"))) {
      return models
          .map(p -> new DualReference(reference, p.getFileName().toString()))
          .filter(DualReference::isDual)
          .sorted((a, b) -> a.model.compareTo(b.model))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean isDual() {
    if (Files.exists(checkpoint().resolve("open_clip_config.json"))) {
      return true;
    }
    Path config = checkpoint().resolve("config.json");
    return Files.exists(config)
        && CLASSES.contains(json(config).path("architectures").path(0).asText());
  }

  Path checkpoint() {
    return reference.checkpoint(model);
  }

  /** Texts and the ids that the reference's tokenizer gives, where there are more than cases. */
  List<JsonNode> tokens() {
    Path file = reference.directory(model).resolve("tokens.jsonl");
    if (!Files.exists(file)) {
      return List.of();
    }
    try {
      List<JsonNode> lines = new ArrayList<>();
      for (String line : Files.readAllLines(file)) {
        lines.add(new ObjectMapper().readTree(line));
      }
      return lines;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<Case> cases() {
    try (Stream<Path> cases = Files.list(reference.directory(model).resolve("cases"))) {
      return cases.sorted().map(p -> new Case(this, p)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode json(Path file) {
    try {
      return new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Images and texts, and what transformers computes of them. */
  record Case(DualReference owner, Path directory) {
    String name() {
      return directory.getFileName().toString();
    }

    ReferenceCase values() {
      return ReferenceCase.read(owner.reference.root(), directory);
    }

    /** Planar pixels of all images, also where the reference has patches with padding behind. */
    float[] pixels(SafetensorsFile expected) {
      float[] values = values().pixelValues(expected);
      return expected.contains("spatial_shapes") ? planes(expected, values) : values;
    }

    /** Patches [images, patches, y, x, channel] to planes; padding is left out. */
    private static float[] planes(SafetensorsFile expected, float[] values) {
      long[] grids = expected.longs("spatial_shapes"); // rows and columns
      String name = expected.contains("pixel_values") ? "pixel_values" : "pixel_values.u8";
      int max = Math.toIntExact(expected.shape(name).get(1));
      int length = Math.toIntExact(expected.shape(name).get(2));
      int side = (int) Math.sqrt(length / 3);
      List<float[]> images = new ArrayList<>();
      for (int i = 0; i < grids.length / 2; i++) {
        int gridX = (int) grids[2 * i + 1];
        int width = gridX * side;
        int height = (int) grids[2 * i] * side;
        float[] image = new float[3 * width * height];
        for (int to = 0; to < image.length; to++) {
          int x = to % width;
          int y = to / width % height;
          int patch = y / side * gridX + x / side;
          int within = (y % side * side + x % side) * 3 + to / (width * height);
          image[to] = values[(i * max + patch) * length + within];
        }
        images.add(image);
      }
      return Difference.concat(images);
    }

    /** A stage of all images; rows of padding are left out. */
    float[] imageRows(SafetensorsFile expected, String name) {
      float[] values = expected.floats(name);
      List<Long> shape = expected.shape(name);
      if (shape.size() != 3 || !expected.contains("spatial_shapes")) {
        return values;
      }
      long[] grids = expected.longs("spatial_shapes");
      int rowLength = Math.toIntExact(shape.get(2));
      int imageLength = Math.toIntExact(shape.get(1)) * rowLength;
      List<float[]> images = new ArrayList<>();
      for (int i = 0; i < grids.length / 2; i++) {
        int count = (int) (grids[2 * i] * grids[2 * i + 1]) * rowLength;
        images.add(Arrays.copyOfRange(values, i * imageLength, i * imageLength + count));
      }
      return Difference.concat(images);
    }

    List<String> texts() {
      return strings("texts");
    }

    List<RgbImage> images() {
      return strings("images").stream()
          .map(name -> {
            try {
              return ImageDecoder.decode(owner.reference.root().resolve("images").resolve(name));
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
          })
          .toList();
    }

    private List<String> strings(String key) {
      List<String> values = new ArrayList<>();
      json(directory.resolve("case.json")).path(key).forEach(v -> values.add(v.asText()));
      return values;
    }
  }
}
