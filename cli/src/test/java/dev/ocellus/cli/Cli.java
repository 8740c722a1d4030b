package dev.ocellus.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.cli.terminal.Io;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;

/** Runs the program in this JVM and keeps what it prints. */
record Cli(int code, String out, String err) {
  static Cli run(Object... arguments) {
    return runWithInput("", arguments);
  }

  static Cli runWithInput(String input, Object... arguments) {
    return runWithInput(input.getBytes(StandardCharsets.UTF_8), arguments);
  }

  static Cli runWithInput(byte[] input, Object... arguments) {
    return run(Map.of(), input, arguments);
  }

  static Cli runWithEnvironment(
      Map<String, String> environment, String input, Object... arguments) {
    return run(environment, input.getBytes(StandardCharsets.UTF_8), arguments);
  }

  private static Cli run(Map<String, String> environment, byte[] input, Object... arguments) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    InputStream in = new ByteArrayInputStream(input);
    Io io =
        new Io(
            in,
            new PrintStream(out, false, StandardCharsets.UTF_8),
            new PrintStream(err, false, StandardCharsets.UTF_8),
            false,
            false,
            false,
            environment);
    int code = new Ocellus(io).run(List.of(arguments).stream().map(Object::toString).toList());
    return new Cli(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  JsonNode json() {
    try {
      return new ObjectMapper().readTree(out);
    } catch (IOException e) {
      throw new UncheckedIOException("not JSON: " + out + err, e);
    }
  }

  /** A red circle on white, as a PNG file. */
  static Path redCircle(Path directory) throws IOException {
    BufferedImage image = new BufferedImage(192, 192, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = image.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, 192, 192);
    g.setColor(Color.RED);
    g.fillOval(38, 38, 116, 116);
    g.dispose();
    Path file = directory.resolve("red circle.png");
    ImageIO.write(image, "png", file.toFile());
    return file;
  }
}
