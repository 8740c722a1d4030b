package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFrame;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * GIF (versions 87a and 89a) to RGB, each frame drawn over the ones before it as <a
 * href="https://github.com/python-pillow/Pillow/blob/bb1d8e8ab8d29048624d96e3ee53cecf7c13d13d/src/PIL/GifImagePlugin.py">
 * Pillow 12.3</a> does: what no frame covers has the transparent colour of the first one, or its
 * colour 0.
 */
final class GifDecoder {
  private static final int TERMINATOR = 0x3B;
  private static final int EXTENSION = 0x21;
  private static final int IMAGE = 0x2C;
  private static final int GRAPHIC_CONTROL = 0xF9;
  private static final int TO_BACKGROUND = 2;
  private static final int TO_PREVIOUS = 3;

  private record Area(int x, int y, int width, int height) {}

  private final ByteBuffer file;
  private final ImageLimits limits;
  private long pixelsLeft;
  private ImageSize size;
  private byte[] canvas = {};
  private byte @Nullable [] globalPalette;
  private int background;

  // What holds for the next frame.
  private int transparent = -1;
  private int delay;
  private int disposal;

  // What happens to the canvas before the next frame.
  private @Nullable Area disposeArea;
  private @Nullable RgbImage disposeImage;

  private GifDecoder(byte[] bytes, ImageLimits limits) {
    this.file = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    this.limits = limits;
    this.pixelsLeft = limits.maxPixels();
    file.position(6);
    // Frames may be larger than the screen, which may be empty.
    int width = Math.max(1, file.getShort() & 0xFFFF);
    int height = Math.max(1, file.getShort() & 0xFFFF);
    size = limits.checkSize(width, height);
    int flags = file.get();
    int index = file.get() & 0xFF;
    file.get();
    if ((flags & 0x80) != 0) {
      background = index;
      globalPalette = readPalette(flags);
    }
  }

  static RgbImage decode(byte[] bytes, ImageLimits limits) {
    return frames(bytes, limits, 1).getFirst().image();
  }

  static List<ImageFrame> decodeFrames(byte[] bytes, ImageLimits limits) {
    return frames(bytes, limits, limits.maxFrames() + 1);
  }

  private static List<ImageFrame> frames(byte[] bytes, ImageLimits limits, int maxFrames) {
    List<ImageFrame> frames = new ArrayList<>();
    try {
      GifDecoder decoder = new GifDecoder(bytes, limits);
      while (frames.size() < maxFrames && decoder.findFrame(!frames.isEmpty())) {
        frames.add(decoder.readFrame(frames.isEmpty()));
      }
    } catch (BufferUnderflowException e) {
      throw ImageFormatException.truncated("the GIF file ends in the middle of a frame");
    }
    if (frames.isEmpty()) {
      throw ImageFormatException.truncated("the GIF file ends before its first frame");
    }
    if (frames.size() > limits.maxFrames()) {
      throw new ImageFormatException(
          ImageFormatException.Kind.TOO_LARGE,
          "the animation has more than the %d frames allowed".formatted(limits.maxFrames()));
    }
    return frames;
  }

  /** Reads up to the next frame; false at the end of the file. */
  private boolean findFrame(boolean endAllowed) {
    transparent = -1;
    delay = 0;
    while (file.hasRemaining() || !endAllowed) {
      switch (file.get()) {
        case TERMINATOR -> {
          return false;
        }
        case IMAGE -> {
          return true;
        }
        case EXTENSION -> readExtension();
        default -> {
          // Bytes between blocks are passed over.
        }
      }
    }
    return false;
  }

  private void readExtension() {
    int label = file.get() & 0xFF;
    int length = file.get() & 0xFF;
    if (label == GRAPHIC_CONTROL && length >= 4) {
      int flags = file.get();
      delay = file.getShort() & 0xFFFF;
      int index = file.get() & 0xFF;
      transparent = (flags & 1) != 0 ? index : -1;
      // An unspecified disposal leaves the last one in force.
      int asked = flags >> 2 & 7;
      disposal = asked != 0 ? asked : disposal;
      length -= 4;
    }
    while (length != 0) {
      skip(length);
      length = file.get() & 0xFF;
    }
  }

  private void skip(int length) {
    if (length > file.remaining()) {
      throw new BufferUnderflowException();
    }
    file.position(file.position() + length);
  }

  private ImageFrame readFrame(boolean first) {
    int x = file.getShort() & 0xFFFF;
    int y = file.getShort() & 0xFFFF;
    int width = file.getShort() & 0xFFFF;
    int height = file.getShort() & 0xFFFF;
    limits.checkSize(width, height);
    Area area = new Area(x, y, width, height);
    int flags = file.get();
    byte[] palette = (flags & 0x80) != 0 ? readPalette(flags) : globalPalette;
    if (palette == null) {
      palette = grayRamp();
    }
    ImageSize needed =
        limits.checkSize(Math.max(size.width(), x + width), Math.max(size.height(), y + height));
    pixelsLeft -= needed.pixels();
    if (pixelsLeft < 0) {
      throw new ImageFormatException(
          ImageFormatException.Kind.TOO_LARGE,
          "the frames of the animation have more than %d pixels together; raise ImageLimits"
              .formatted(limits.maxPixels()));
    }
    dispose();
    prepareCanvas(needed, first, color(palette, Math.max(0, transparent)));
    byte[] indices = GifLzw.decode(file, width * height);
    rememberDisposal(area, palette, first);
    draw(area, indices, (flags & 0x40) != 0, palette, first ? -1 : transparent);
    return new ImageFrame(
        RgbImage.of(size.width(), size.height(), canvas), Duration.ofMillis(delay * 10L));
  }

  private byte[] readPalette(int flags) {
    byte[] palette = new byte[256 * 3];
    file.get(palette, 0, 3 << ((flags & 7) + 1));
    return palette;
  }

  private static byte[] grayRamp() {
    byte[] palette = new byte[256 * 3];
    for (int i = 0; i < palette.length; i++) {
      palette[i] = (byte) (i / 3);
    }
    return palette;
  }

  private static Rgb color(byte[] palette, int index) {
    int at = index * 3;
    return new Rgb(palette[at] & 0xFF, palette[at + 1] & 0xFF, palette[at + 2] & 0xFF);
  }

  private void prepareCanvas(ImageSize needed, boolean first, Rgb color) {
    if (first) {
      canvas = RgbImage.filled(needed.width(), needed.height(), color).toByteArray();
    } else if (!needed.equals(size)) {
      canvas =
          RgbImage.wrap(size.width(), size.height(), canvas)
              .pad(0, 0, needed.width() - size.width(), needed.height() - size.height(), Rgb.BLACK)
              .toByteArray();
    }
    size = needed;
  }

  private void dispose() {
    if (disposeArea != null && disposeImage != null) {
      ByteBuffer pixels = disposeImage.asByteBuffer();
      for (int row = 0; row < disposeArea.height; row++) {
        pixels.get(
            row * disposeArea.width * 3,
            canvas,
            ((disposeArea.y + row) * size.width() + disposeArea.x) * 3,
            disposeArea.width * 3);
      }
    }
    disposeArea = null;
    disposeImage = null;
  }

  /** Called before the frame is drawn, while the canvas still shows the previous one. */
  private void rememberDisposal(Area area, byte[] palette, boolean first) {
    if (disposal == TO_BACKGROUND || disposal == TO_PREVIOUS && first && transparent >= 0) {
      Rgb color = color(palette, transparent >= 0 ? transparent : background);
      disposeArea = area;
      disposeImage = RgbImage.filled(area.width, area.height, color);
    } else if (disposal == TO_PREVIOUS && !first) {
      disposeArea = area;
      disposeImage =
          RgbImage.wrap(size.width(), size.height(), canvas)
              .crop(area.x, area.y, area.width, area.height);
    }
  }

  private void draw(Area area, byte[] indices, boolean interlaced, byte[] palette, int skipped) {
    for (int i = 0; i < area.height; i++) {
      int row = interlaced ? interlacedRow(i, area.height) : i;
      int to = ((area.y + row) * size.width() + area.x) * 3;
      for (int x = 0; x < area.width; x++, to += 3) {
        int index = indices[i * area.width + x] & 0xFF;
        if (index != skipped) {
          canvas[to] = palette[index * 3];
          canvas[to + 1] = palette[index * 3 + 1];
          canvas[to + 2] = palette[index * 3 + 2];
        }
      }
    }
  }

  /** Rows come as every 8th from 0, every 8th from 4, every 4th from 2, every 2nd from 1. */
  private static int interlacedRow(int i, int height) {
    int eighths = (height + 7) / 8;
    int quarters = (height + 3) / 4;
    int halves = (height + 1) / 2;
    if (i < eighths) {
      return i * 8;
    }
    if (i < quarters) {
      return (i - eighths) * 8 + 4;
    }
    return i < halves ? (i - quarters) * 4 + 2 : (i - halves) * 2 + 1;
  }
}
