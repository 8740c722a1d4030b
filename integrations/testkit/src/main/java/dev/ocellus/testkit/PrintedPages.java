package dev.ocellus.testkit;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** PDF documents that the embedded model can read. */
public final class PrintedPages {
  private static final int SIDE = 192;
  private static final double RADIUS = 58;

  /** How far the control points of a quarter of a circle are from its ends, by its radius. */
  private static final double HANDLE = 0.5523;

  private PrintedPages() {}

  /** A document with a large red circle on each page. */
  public static byte[] ofRedCircles(int nPages) {
    List<String> objects = new ArrayList<>();
    StringBuilder kids = new StringBuilder();
    for (int page = 0; page < nPages; page++) {
      kids.append("%d 0 R ".formatted(3 + 2 * page));
    }
    objects.add("<< /Type /Catalog /Pages 2 0 R >>");
    objects.add("<< /Type /Pages /Kids [%s] /Count %d >>".formatted(kids, nPages));
    String drawing = circle();
    for (int page = 0; page < nPages; page++) {
      objects.add(
          "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources << >> /Contents %d 0 R >>"
              .formatted(SIDE, SIDE, 4 + 2 * page));
      objects.add("<< /Length %d >>\nstream\n%s\nendstream".formatted(drawing.length(), drawing));
    }
    return file(objects).getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String circle() {
    double c = SIDE / 2.0;
    double r = RADIUS;
    double h = RADIUS * HANDLE;
    StringBuilder path = new StringBuilder("1 0 0 rg ");
    path.append(numbers(c + r, c)).append("m ");
    path.append(numbers(c + r, c + h, c + h, c + r, c, c + r)).append("c ");
    path.append(numbers(c - h, c + r, c - r, c + h, c - r, c)).append("c ");
    path.append(numbers(c - r, c - h, c - h, c - r, c, c - r)).append("c ");
    path.append(numbers(c + h, c - r, c + r, c - h, c + r, c)).append("c ");
    return path.append("f").toString();
  }

  private static String numbers(double... values) {
    StringBuilder text = new StringBuilder();
    for (double value : values) {
      text.append(String.format(Locale.ROOT, "%.2f ", value));
    }
    return text.toString();
  }

  private static String file(List<String> objects) {
    StringBuilder file = new StringBuilder("%PDF-1.4\n");
    List<Integer> offsets = new ArrayList<>();
    for (int i = 0; i < objects.size(); i++) {
      offsets.add(file.length());
      file.append("%d 0 obj\n%s\nendobj\n".formatted(i + 1, objects.get(i)));
    }
    int table = file.length();
    file.append("xref\n0 %d\n0000000000 65535 f \n".formatted(objects.size() + 1));
    offsets.forEach(offset -> file.append("%010d 00000 n \n".formatted(offset)));
    return file.append(
            "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                .formatted(objects.size() + 1, table))
        .toString();
  }
}
