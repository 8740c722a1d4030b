package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.image.RgbImage;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** Draws regions onto an image. Labels are not written, as not every machine has fonts. */
public final class RegionDrawing {
  private static final List<Color> COLORS =
      List.of(
          new Color(0xE6194B),
          new Color(0x3CB44B),
          new Color(0x4363D8),
          new Color(0xF58231),
          new Color(0x911EB4),
          new Color(0x42D4F4));

  private RegionDrawing() {}

  /** A copy of an image with regions on it; those of the same label in the same colour. */
  public static RgbImage draw(RgbImage image, List<Region> regions) {
    BufferedImage canvas = image.toBufferedImage();
    Graphics2D g = canvas.createGraphics();
    try {
      g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      int line = Math.max(1, Math.min(image.width(), image.height()) / 150);
      g.setStroke(new BasicStroke(line));
      List<String> labels = regions.stream().map(Region::label).distinct().toList();
      for (Region region : regions) {
        g.setColor(COLORS.get(labels.indexOf(region.label()) % COLORS.size()));
        draw(g, region, 2 * line);
      }
    } finally {
      g.dispose();
    }
    return RgbImage.fromBufferedImage(canvas);
  }

  private static void draw(Graphics2D g, Region region, int radius) {
    List<Pixel> p = region.points();
    switch (region.kind()) {
      case BOX -> {
        Pixel from = p.getFirst();
        Pixel to = p.getLast();
        g.drawRect(from.x(), from.y(), to.x() - from.x(), to.y() - from.y());
      }
      case POINT ->
          g.fillOval(
              p.getFirst().x() - radius, p.getFirst().y() - radius, 2 * radius + 1, 2 * radius + 1);
      case POLYGON ->
          g.drawPolygon(
              p.stream().mapToInt(Pixel::x).toArray(),
              p.stream().mapToInt(Pixel::y).toArray(),
              p.size());
    }
  }
}
