package dev.ocellus.cli.terminal;

import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import javax.imageio.ImageIO;

/** A small image of an image, in the best way that the terminal has. */
public enum Preview {
  /** The kitty graphics protocol (kitty, Ghostty). */
  KITTY,
  /** The inline images of iTerm2 (also WezTerm and Konsole). */
  ITERM,
  /** Sixel graphics, of DEC's terminals and their likes. */
  SIXEL,
  /** Two pixels in each character, by the colours of its upper and lower half. */
  BLOCKS,
  /** Nothing. */
  OFF;

  private static final int MAX_PIXELS = 240;
  private static final int MAX_COLUMNS = 32;
  private static final int KITTY_CHUNK = 4096;
  private static final String ESC = "\u001b";

  /** What a terminal with this environment can do. Nothing is asked of it, so nothing can hang. */
  public static Preview of(Map<String, String> environment) {
    String term = environment.getOrDefault("TERM", "").toLowerCase(Locale.ROOT);
    String program = environment.getOrDefault("TERM_PROGRAM", "");
    String color = environment.getOrDefault("COLORTERM", "");
    boolean multiplexed = environment.containsKey("TMUX") || term.startsWith("screen");
    if (environment.containsKey("NO_COLOR") || term.isEmpty() || term.equals("dumb")) {
      return OFF;
    }
    if (!multiplexed) { // which would swallow what it does not know
      if (term.contains("kitty")
          || environment.containsKey("KITTY_WINDOW_ID")
          || program.equals("ghostty")) {
        return KITTY;
      }
      if (program.equals("iTerm.app")
          || program.equals("WezTerm")
          || environment.containsKey("KONSOLE_VERSION")) {
        return ITERM;
      }
      if (term.contains("sixel") || term.startsWith("foot") || term.startsWith("mlterm")) {
        return SIXEL;
      }
    }
    boolean manyColors =
        color.equals("truecolor")
            || color.equals("24bit")
            || term.contains("256color")
            || term.contains("direct");
    return manyColors ? BLOCKS : OFF;
  }

  /** The image as text for the terminal, with a line end behind it; empty for {@link #OFF}. */
  public String render(RgbImage image, Map<String, String> environment) {
    String color = environment.getOrDefault("COLORTERM", "");
    return switch (this) {
      case OFF -> "";
      case KITTY -> kitty(small(image, MAX_PIXELS));
      case ITERM -> {
        byte[] png = png(small(image, MAX_PIXELS));
        yield ESC
            + "]1337;File=inline=1;size="
            + png.length
            + ":"
            + Base64.getEncoder().encodeToString(png)
            + "\u0007\n";
      }
      case SIXEL -> Sixel.encode(small(image, MAX_PIXELS));
      case BLOCKS ->
          blocks(small(image, MAX_COLUMNS), color.equals("truecolor") || color.equals("24bit"));
    };
  }

  private static RgbImage small(RgbImage image, int maxSide) {
    double scale = Math.min(1, (double) maxSide / Math.max(image.width(), image.height()));
    int width = Math.max(1, (int) Math.round(image.width() * scale));
    int height = Math.max(1, (int) Math.round(image.height() * scale));
    return Resize.resize(image, width, height, ResizeFilter.BOX);
  }

  private static byte[] png(RgbImage image) {
    var bytes = new ByteArrayOutputStream();
    try {
      ImageIO.write(image.toBufferedImage(), "png", bytes);
    } catch (IOException e) {
      throw new UncheckedIOException("a byte array could not be written", e);
    }
    return bytes.toByteArray();
  }

  /** In pieces, each of which says whether more follow. */
  private static String kitty(RgbImage image) {
    byte[] data = Base64.getEncoder().encode(png(image));
    StringBuilder out = new StringBuilder();
    for (int at = 0; at < data.length; at += KITTY_CHUNK) {
      int n = Math.min(KITTY_CHUNK, data.length - at);
      out.append(ESC).append("_G").append(at == 0 ? "f=100,a=T,q=2," : "");
      out.append("m=").append(at + n < data.length ? 1 : 0).append(';');
      out.append(new String(data, at, n, StandardCharsets.US_ASCII)).append(ESC).append('\\');
    }
    return out.append('\n').toString();
  }

  private static String blocks(RgbImage image, boolean trueColor) {
    StringBuilder out = new StringBuilder();
    for (int y = 0; y < image.height(); y += 2) {
      for (int x = 0; x < image.width(); x++) {
        out.append(ESC).append("[38;").append(color(image.rgb(x, y), trueColor));
        if (y + 1 < image.height()) {
          out.append(";48;").append(color(image.rgb(x, y + 1), trueColor));
        }
        out.append('m').append('\u2580');
      }
      out.append(ESC).append("[0m\n");
    }
    return out.toString();
  }

  private static String color(int rgb, boolean trueColor) {
    int r = rgb >> 16 & 0xFF;
    int g = rgb >> 8 & 0xFF;
    int b = rgb & 0xFF;
    if (trueColor) {
      return "2;" + r + ";" + g + ";" + b;
    }
    return "5;" + (16 + 36 * level(r) + 6 * level(g) + level(b)); // xterm's cube of 6 levels
  }

  /** The nearest of xterm's levels 0, 95, 135, 175, 215, 255. */
  private static int level(int value) {
    return value < 48 ? 0 : value < 115 ? 1 : Math.min(5, (value - 35) / 40);
  }
}
