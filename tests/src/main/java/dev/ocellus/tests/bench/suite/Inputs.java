package dev.ocellus.tests.bench.suite;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.tests.synthetic.SyntheticModels;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;

/** Models with random weights and images, made when they are first asked for and kept. */
final class Inputs {
  private static final long SEED = 20_240_601;
  private static final int SHAPES = 4000;

  private final Path folder;
  private final Path peer;

  /**
   * @param folder where they are kept
   * @param peer the folder of llama.cpp's tools
   */
  Inputs(Path folder, Path peer) {
    this.folder = folder;
    this.peer = peer;
  }

  /** Makes a file or a folder. */
  interface Maker {
    void make(Path file) throws IOException, InterruptedException;
  }

  /** A file or a folder, made if it is not there. */
  Path made(String name, Maker maker) throws IOException, InterruptedException {
    Path file = folder.resolve(name);
    if (!Files.exists(file)) {
      Files.createDirectories(folder);
      System.err.println("suite: making " + name);
      Path fresh = folder.resolve("new." + name);
      maker.make(fresh);
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return file;
  }

  /** A text model of Qwen2-0.5B's shape; {@code F16}, {@code Q8_0} or {@code Q4_K_M}. */
  Path text(String type) throws IOException, InterruptedException {
    String name = "qwen2-0.5b-" + type.toLowerCase(Locale.ROOT) + ".gguf";
    if (type.equals("F16")) {
      return made(name, file -> SyntheticModels.writeText("0.5b", TensorType.F16, SEED, file));
    }
    Path f16 = text("F16");
    String tool = peer.resolve("llama-quantize").toString();
    return made(name, file -> Finished.run(List.of(tool, f16.toString(), file.toString(), type)));
  }

  /** An image encoder that fits the text model. */
  Path mmproj(String preset) throws IOException, InterruptedException {
    return made(
        "mmproj-" + preset + ".gguf",
        file -> SyntheticModels.writeMmproj(preset, TensorType.F16, SEED, file));
  }

  /** The demo model's text model and image encoder. */
  LoadOptions demo() throws IOException {
    return DemoModel.files();
  }

  /** A drawing with edges, gradients and some noise. */
  Path image(int width, int height, String format) throws IOException, InterruptedException {
    return made(
        "image-%dx%d.%s".formatted(width, height, format),
        file -> ImageIO.write(drawn(width, height), format, file.toFile()));
  }

  private static BufferedImage drawn(int width, int height) {
    var random = new SplittableRandom(SEED);
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    for (int i = 0; i < SHAPES; i++) {
      graphics.setPaint(
          new GradientPaint(
              random.nextInt(width),
              random.nextInt(height),
              new Color(random.nextInt(1 << 24)),
              random.nextInt(width),
              random.nextInt(height),
              new Color(random.nextInt(1 << 24))));
      graphics.fillOval(
          random.nextInt(width),
          random.nextInt(height),
          1 + random.nextInt(width / 8),
          1 + random.nextInt(height / 8));
    }
    graphics.dispose();
    return image;
  }
}
