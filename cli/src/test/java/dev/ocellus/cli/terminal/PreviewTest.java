package dev.ocellus.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class PreviewTest {
  private static final RgbImage RED = RgbImage.filled(480, 240, new Rgb(255, 0, 0));
  private static final Map<String, String> TRUE_COLOR =
      Map.of("TERM", "xterm-256color", "COLORTERM", "truecolor");

  @Test
  void takesTheBestThatATerminalHas() {
    assertThat(Preview.of(Map.of("TERM", "xterm-kitty"))).isEqualTo(Preview.KITTY);
    assertThat(Preview.of(Map.of("TERM", "xterm-256color", "TERM_PROGRAM", "iTerm.app")))
        .isEqualTo(Preview.ITERM);
    assertThat(Preview.of(Map.of("TERM", "foot"))).isEqualTo(Preview.SIXEL);
    assertThat(Preview.of(TRUE_COLOR)).isEqualTo(Preview.BLOCKS);
    assertThat(Preview.of(Map.of("TERM", "vt100"))).isEqualTo(Preview.OFF);
    assertThat(Preview.of(Map.of("TERM", "dumb", "COLORTERM", "truecolor"))).isEqualTo(Preview.OFF);
    assertThat(Preview.of(Map.of("TERM", "xterm-kitty", "NO_COLOR", "1"))).isEqualTo(Preview.OFF);
    assertThat(Preview.of(Map.of("TERM", "screen-256color", "TMUX", "x", "KITTY_WINDOW_ID", "1")))
        .isEqualTo(Preview.BLOCKS);
  }

  @Test
  void drawsTwoPixelsInACharacter() {
    String text = Preview.BLOCKS.render(RED, TRUE_COLOR);
    assertThat(text.lines()).hasSize(8); // 32 x 16 pixels
    assertThat(text.lines().findFirst().orElseThrow())
        .isEqualTo("\u001b[38;2;255;0;0;48;2;255;0;0m▀".repeat(32) + "\u001b[0m");
    assertThat(Preview.BLOCKS.render(RED, Map.of("TERM", "xterm-256color")))
        .contains("\u001b[38;5;196;48;5;196m▀");
    assertThat(Preview.OFF.render(RED, TRUE_COLOR)).isEmpty();
  }

  @Test
  void sendsASmallImageToITerm() throws IOException {
    String text = Preview.ITERM.render(RED, TRUE_COLOR);
    Matcher parts =
        Pattern.compile("\u001b]1337;File=inline=1;size=(\\d+):([^\u0007]+)\u0007\n").matcher(text);
    assertThat(parts.matches()).isTrue();
    byte[] png = Base64.getDecoder().decode(parts.group(2));
    assertThat(png).hasSize(Integer.parseInt(parts.group(1)));
    var image = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(image.getWidth()).isEqualTo(240);
    assertThat(image.getRGB(100, 60)).isEqualTo(0xFFFF0000);
  }

  @Test
  void sendsKittyPiecesOfItsSize() throws IOException {
    byte[] noise = new byte[240 * 240 * 3];
    new java.util.Random(1).nextBytes(noise);
    String text = Preview.KITTY.render(RgbImage.of(240, 240, noise), TRUE_COLOR);
    Matcher pieces = Pattern.compile("\u001b_G([^;]*);([^\u001b]*)\u001b\\\\").matcher(text);
    StringBuilder data = new StringBuilder();
    String last = "";
    int n = 0;
    while (pieces.find()) {
      assertThat(pieces.group(1)).startsWith(n == 0 ? "f=100,a=T,q=2,m=" : "m=");
      assertThat(pieces.group(2).length()).isLessThanOrEqualTo(4096);
      data.append(pieces.group(2));
      last = pieces.group(1);
      n++;
    }
    assertThat(n).isGreaterThan(10);
    assertThat(last).isEqualTo("m=0");
    var image = ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(data.toString())));
    assertThat(image.getRGB(0, 0) & 0xFF).isEqualTo(noise[2] & 0xFF);
  }

  @Test
  void drawsSixels() {
    RgbImage image = RgbImage.filled(5, 7, new Rgb(255, 0, 0));
    String text = Preview.SIXEL.render(image, TRUE_COLOR);
    assertThat(text).startsWith("\u001bP0;1q\"1;1;5;7").contains("#180;2;100;0;0");
    // six lines of five red pixels, then one
    assertThat(text).endsWith("#180!5~$-#180!5@$-\u001b\\\n");
  }
}
