package dev.ocellus.convert.model.base;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufWriter;
import org.jspecify.annotations.Nullable;

/**
 * How LLaVA's processor brings an image to the square of the tower: by default the shorter side to
 * the square's, then the middle. What is otherwise gets a key (docs/gguf.md).
 */
public final class LlavaFit {
  private final HfConfig processor;
  private final int side;

  public LlavaFit(HfConfig processor, int side) {
    this.processor = processor;
    this.side = side;
  }

  public void write(GgufWriter out) {
    JsonNode size = processor.find("size");
    if (processor.flag("do_pad", false)) {
      out.string("clip.vision.image_aspect_ratio", "pad");
    } else if (size != null && size.has("height") && size.has("width")) {
      requireSquare(size);
      out.string("clip.vision.image_aspect_ratio", "stretch");
    }
    int shortest = shortestEdge(size);
    if (shortest != side) {
      out.u32("clip.vision.preproc_image_size", shortest);
    }
  }

  private void requireSquare(JsonNode size) {
    if (size.get("height").asInt() != side || size.get("width").asInt() != side) {
      throw processor.invalid("size", "%1$d x %1$d, as the tower's".formatted(side), "" + size);
    }
  }

  /** In the oldest files the size is a number. */
  private int shortestEdge(@Nullable JsonNode size) {
    JsonNode edge = size == null || size.isNumber() ? size : size.get("shortest_edge");
    int shortest = edge == null ? side : edge.asInt();
    if (shortest < 1) {
      throw processor.invalid("size", "at least 1 pixel", "" + size);
    }
    return shortest;
  }
}
