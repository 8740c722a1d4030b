package dev.ocellus.vlm.grounding;

import java.util.List;

/**
 * A part of an image that an answer names.
 *
 * @param kind what it is
 * @param label what the answer says is there; empty where it says nothing
 * @param points of a box its corners at the left top and at the right bottom, of a point itself, of
 *     a polygon all corners
 */
public record Region(Kind kind, String label, List<Pixel> points) {
  /** What regions there are. */
  public enum Kind {
    BOX,
    POINT,
    POLYGON
  }

  /**
   * A place in an image.
   *
   * @param x pixels from its left edge
   * @param y pixels from its upper edge
   */
  public record Pixel(int x, int y) {}

  public Region {
    points = List.copyOf(points);
  }

  static Region box(String label, Pixel first, Pixel second) {
    Pixel topLeft = new Pixel(Math.min(first.x, second.x), Math.min(first.y, second.y));
    Pixel bottomRight = new Pixel(Math.max(first.x, second.x), Math.max(first.y, second.y));
    return new Region(Kind.BOX, label, List.of(topLeft, bottomRight));
  }
}
