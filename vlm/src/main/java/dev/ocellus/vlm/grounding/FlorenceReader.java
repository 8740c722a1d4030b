package dev.ocellus.vlm.grounding;

import dev.ocellus.vlm.grounding.Region.Kind;
import dev.ocellus.vlm.grounding.Region.Pixel;
import dev.ocellus.vlm.grounding.TaskResult.Found;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.python.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads Florence-2's answers as {@code Florence2PostProcessor} of transformers does, with its
 * expressions and in single precision: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/florence2/processing_florence2.py">processing_florence2.py</a>.
 */
final class FlorenceReader {
  /** Characters and ends of lines as Python's expressions know them. */
  private static final int PYTHON = Pattern.UNICODE_CHARACTER_CLASS | Pattern.UNIX_LINES;

  /** Of what Python calls space, four separators are none to Java. */
  private static final String SPACES = "[\\s\\x1c-\\x1f]*";

  private static final String ENDS = "<od>|</od>|<box>|</box>|<bbox>|</bbox>|<loc_";
  private static final String POLYGON_PART = "(?:<loc_\\d+>|<sep>|<poly>|</poly>){4,}";
  private static final String PLACE = "<loc_(\\d+)>";

  private static final Pattern LABELLED = pattern("[^<]+(?:<loc_\\d+>){4,}");
  private static final Pattern UNLABELLED = pattern("(?:<loc_\\d+>){4,}");
  private static final Pattern LABEL = pattern("^" + SPACES + "(.*?)(?=" + ENDS + ")");
  private static final Pattern BOX = pattern(PLACE.repeat(4));
  private static final Pattern QUAD = pattern("(.+?)" + PLACE.repeat(8));
  private static final Pattern LABELLED_POLYGONS = pattern("[^<]+" + POLYGON_PART);
  private static final Pattern UNLABELLED_POLYGONS = pattern(POLYGON_PART);
  private static final Pattern POLYGON_LABEL =
      pattern("^" + SPACES + "(.*?)(?=" + ENDS + "|<poly>)");
  private static final Pattern FIRST_PLACE = pattern("^<loc_\\d+>");
  private static final Pattern INSTANCE = pattern("<poly>(.*?)</poly>");
  private static final Pattern POLYGON = pattern("((?:<loc_\\d+>)+)(?:<sep>|$)");
  private static final Pattern NUMBER = pattern(PLACE);

  private final String text;
  private final String whole;
  private final ImageSize image;
  private final float perBinX;
  private final float perBinY;

  FlorenceReader(String answer, ImageSize image) {
    whole = answer;
    text = answer.replace("<s>", "").replace("</s>", "").replace("<pad>", "");
    this.image = image;
    perBinX = (float) (image.width() / 1000.0);
    perBinY = (float) (image.height() / 1000.0);
  }

  private static Pattern pattern(String regex) {
    return Pattern.compile(regex, PYTHON);
  }

  /** The answer of a task that answers by text. */
  String plainText() {
    return PythonText.strip(whole.replace("<s>", "").replace("</s>", ""));
  }

  boolean hasPolygons() {
    return whole.contains("<poly>");
  }

  /**
   * Boxes with what stands before them.
   *
   * @param unlabelled whether nothing need stand there
   */
  List<Found> boxes(boolean unlabelled) {
    return boxes(unlabelled ? UNLABELLED : LABELLED, unlabelled, Set.of());
  }

  /** Boxes of phrases, but of those that are banned. */
  List<Found> phrases(Set<String> banned) {
    return boxes(LABELLED, false, banned);
  }

  private List<Found> boxes(Pattern pattern, boolean unlabelled, Set<String> banned) {
    List<Found> found = new ArrayList<>();
    Matcher m = pattern.matcher(text);
    while (m.find()) {
      String part = withoutFirst(withoutFirst(m.group(), "<ground>"), "<obj>");
      String label = part.isEmpty() && !unlabelled ? null : label(LABEL, part);
      if (label == null || banned.contains(label)) {
        continue;
      }
      Matcher box = BOX.matcher(part);
      while (box.find()) {
        List<Pixel> corners = List.of(pixel(box, 1), pixel(box, 3));
        found.add(new Found(Kind.BOX, ascii(label), List.of(corners)));
      }
    }
    return found;
  }

  private static @Nullable String label(Pattern pattern, String part) {
    Matcher m = pattern.matcher(part);
    return m.find() ? PythonText.strip(m.group()) : null;
  }

  private static String withoutFirst(String text, String part) {
    int at = text.indexOf(part);
    return at < 0 ? text : text.substring(0, at) + text.substring(at + part.length());
  }

  /** Lines of text, each with the four corners of where it stands. */
  List<Found> quads(double minArea) {
    List<Found> found = new ArrayList<>();
    Matcher m = QUAD.matcher(text);
    while (m.find()) {
      List<Pixel> corners = List.of(pixel(m, 2), pixel(m, 4), pixel(m, 6), pixel(m, 8));
      if (minArea <= 0 || area(corners) >= (double) image.width() * image.height() * minArea) {
        found.add(new Found(Kind.POLYGON, PythonText.strip(m.group(1)), List.of(corners)));
      }
    }
    return found;
  }

  /** Half of what three of the four sides enclose, as the reference has it. */
  private static double area(List<Pixel> corners) {
    long sum = 0;
    for (int i = 0; i + 1 < corners.size(); i++) {
      Pixel a = corners.get(i);
      Pixel b = corners.get(i + 1);
      sum += (long) a.x() * b.y() - (long) b.x() * a.y();
    }
    return 0.5 * Math.abs(sum);
  }

  /** Polygons; several of one object stand together. */
  List<Found> polygons(boolean unlabelled) {
    List<Found> found = new ArrayList<>();
    Matcher m = (unlabelled ? UNLABELLED_POLYGONS : LABELLED_POLYGONS).matcher(text);
    while (m.find()) {
      String part = m.group();
      String rest = FIRST_PLACE.matcher(part).replaceFirst("");
      String label = rest.isEmpty() && !unlabelled ? null : label(POLYGON_LABEL, rest);
      if (label == null) {
        continue;
      }
      for (String instance : instances(part)) {
        List<List<Pixel>> shapes = shapes(instance);
        if (!shapes.isEmpty()) {
          found.add(new Found(Kind.POLYGON, label, shapes));
        }
      }
    }
    return found;
  }

  private static List<String> instances(String part) {
    if (!part.contains("<poly>") || !part.contains("</poly>")) {
      return List.of(part);
    }
    return INSTANCE.matcher(part).results().map(r -> r.group(1)).toList();
  }

  private List<List<Pixel>> shapes(String instance) {
    List<List<Pixel>> shapes = new ArrayList<>();
    Matcher m = POLYGON.matcher(instance);
    while (m.find()) {
      List<String> bins = NUMBER.matcher(m.group(1)).results().map(r -> r.group(1)).toList();
      List<Pixel> corners = new ArrayList<>();
      for (int i = 0; i + 1 < bins.size(); i += 2) {
        corners.add(new Pixel(x(bins.get(i)), y(bins.get(i + 1))));
      }
      shapes.add(corners);
    }
    return shapes;
  }

  private Pixel pixel(Matcher m, int group) {
    return new Pixel(x(m.group(group)), y(m.group(group + 1)));
  }

  /** The middle of a thousandth of the image. */
  private int x(String bin) {
    return (int) ((number(bin) + 0.5f) * perBinX);
  }

  private int y(String bin) {
    return (int) ((number(bin) + 0.5f) * perBinY);
  }

  /** Of digits of any script; what is longer than any place is far outside. */
  private static float number(String digits) {
    long value = 0;
    for (int c : digits.codePoints().toArray()) {
      value = Math.min(1L << 30, value * 10 + Character.digit(c, 10));
    }
    return value;
  }

  private static String ascii(String label) {
    return label
        .codePoints()
        .filter(c -> c < 128)
        .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
        .toString();
  }
}
