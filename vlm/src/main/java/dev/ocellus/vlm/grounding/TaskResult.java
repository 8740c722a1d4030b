package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Pixel;
import java.util.ArrayList;
import java.util.List;

/**
 * What a model answered to one of its tasks.
 *
 * @param task name of the task
 * @param form what its answers are
 * @param text the answer without marks, of a task that answers by text; else empty
 * @param objects what was found, in the order of the answer
 */
public record TaskResult(String task, Form form, String text, List<Found> objects) {
  /** What answers are, and so the shape of the result as JSON. */
  public enum Form {
    TEXT,
    BOXES,
    QUADS,
    POLYGONS,
    /** Whatever the answer has of the two. */
    BOXES_OR_POLYGONS
  }

  /**
   * What was found somewhere.
   *
   * @param kind a box or polygons
   * @param label what it is; empty where the answer does not say
   * @param shapes a box as one shape of two corners, or one or several polygons
   */
  public record Found(Region.Kind kind, String label, List<List<Pixel>> shapes) {
    public Found {
      shapes = shapes.stream().map(List::copyOf).toList();
    }
  }

  public TaskResult {
    objects = List.copyOf(objects);
  }

  /** All boxes and polygons, each as a region of its own. */
  public List<Region> regions() {
    List<Region> regions = new ArrayList<>();
    for (Found found : objects) {
      for (List<Pixel> shape : found.shapes()) {
        if (!shape.isEmpty()) {
          regions.add(new Region(found.kind(), found.label(), shape));
        }
      }
    }
    return regions;
  }
}
