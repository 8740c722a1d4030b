package dev.ocellus.cli.generate;

import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Preview;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.vlm.generation.DrawOptions;
import dev.ocellus.vlm.generation.PngImages;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Images while they are drawn: in the terminal, each in the place of the one before, or as a file
 * that is replaced again and again. Without {@code --preview}, and where standard output is no
 * terminal and no file is named, there are none, and nothing is decoded for them.
 */
final class DrawingPreview implements DrawOptions.Listener {
  /** How often an image is shown where nobody says: decoding it costs as much as some codes. */
  private static final int TIMES = 8;

  /** Lines of the terminal that an image surely fits in. */
  private static final int LINES = 24;

  private static final String ESC = "\u001b";
  private static final String RESERVE =
      "\n".repeat(LINES) + ESC + "[" + LINES + "A" + ESC + "7"; // and keep the place
  private static final String BACK = ESC + "8" + ESC + "[J";

  /** Makes an image of codes. */
  interface Painter {
    /**
     * @param done how many of the codes count
     */
    RgbImage paint(int[] codes, int done);
  }

  private final Io io;
  private final Progress progress;
  private final Painter painter;
  private final @Nullable Path file;
  private final Preview terminal;
  private final @Nullable Integer every;
  private boolean shown;

  private DrawingPreview(GenerateCommand command, Progress progress, Painter painter) {
    io = command.io();
    this.progress = progress;
    this.painter = painter;
    file = command.previewFile();
    boolean inTerminal =
        command.preview != null && file == null && io.outTerminal() && !command.printsJson();
    terminal = inTerminal ? Preview.of(io.environment()) : Preview.OFF;
    every = command.previewEvery;
  }

  static DrawingPreview of(GenerateCommand command, Progress progress, Painter painter) {
    return new DrawingPreview(command, progress, painter);
  }

  @Override
  public void drawn(int done, int total) {
    progress.report("drawing", (double) done / total);
  }

  @Override
  public void drawn(int done, int total, Supplier<List<int[]>> soFar) {
    drawn(done, total);
    int step = every != null ? every : Math.max(1, total / TIMES);
    if ((file != null || terminal != Preview.OFF) && done < total && done % step == 0) {
      List<RgbImage> images = new ArrayList<>();
      for (int[] codes : soFar.get()) {
        images.add(painter.paint(codes, done));
      }
      show(Grid.of(images), "%d of %d codes".formatted(done, total));
    }
  }

  private void show(RgbImage image, String state) {
    if (file != null) {
      try {
        PngImages.write(file, image, Map.of("Software", "ocellus generate", "State", state));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return;
    }
    progress.done();
    io.out().print(shown ? BACK : RESERVE);
    io.out().print(terminal.render(image, io.environment()));
    io.out().flush();
    shown = true;
  }

  /** Wipes what is in the terminal; the finished image comes in its place. */
  void finish() {
    if (shown) {
      progress.done();
      io.out().print(BACK);
      io.out().flush();
      shown = false;
    }
  }
}
