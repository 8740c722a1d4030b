package dev.ocellus.accel;

/**
 * A convolution of maps, and what is added to it. The result may lie over what is added, and over
 * nothing else.
 *
 * @param source address of the maps
 * @param kernel address of [width, height, channels of the source, channels of the result]
 * @param bias address of a number for each channel of the result; 0 for none
 * @param added address of maps that are added, like those of the result; 0 for none
 * @param target address of the result
 * @param from size of the source
 * @param to size of the result
 * @param plane numbers from a channel of the result, and of what is added, to the next: more than
 *     its pixels where the result is a strip of larger maps, of one image then
 * @param batch how many there are
 * @param window what moves over the maps
 * @param doubled whether every pixel of the source stands for two by two; only where {@link
 *     Window#keepsSize}
 */
public record Convolution(
    long source,
    long kernel,
    long bias,
    long added,
    long target,
    Size from,
    Size to,
    long plane,
    int batch,
    Window window,
    boolean doubled)
    implements MapOperation {
  /** Of the maps of one image. */
  public record Size(int width, int height, int channels) {
    long pixels() {
      return (long) width * height;
    }

    long floats() {
      return pixels() * channels;
    }
  }

  /** A kernel and how it moves: across (x) and down (y). */
  public record Window(
      int width,
      int height,
      int strideX,
      int strideY,
      int paddingX,
      int paddingY,
      int dilationX,
      int dilationY) {
    /** Whether it is 3 by 3, goes over every pixel, and has no gaps. */
    boolean isThreeByThree() {
      return width == 3
          && height == 3
          && strideX == 1
          && strideY == 1
          && dilationX == 1
          && dilationY == 1
          && paddingX < 3
          && paddingY < 3;
    }

    /** Whether it is 3 by 3 with a result as large as the map. */
    public boolean keepsSize() {
      return isThreeByThree() && paddingX == 1 && paddingY == 1;
    }

    /** Whether it is a product of channels, pixel by pixel. */
    boolean isPixel() {
      return width == 1
          && height == 1
          && strideX == 1
          && strideY == 1
          && paddingX == 0
          && paddingY == 0;
    }

    int area() {
      return width * height;
    }
  }

  /** Whether the result takes the place of what is added to it. */
  boolean isInPlace() {
    return added == target;
  }

  /** Numbers of the source that one number of the result is made of. */
  int depth() {
    return window.area() * from.channels();
  }

  /** One image alone: what comes of it must not depend on the others. */
  Convolution image(int index) {
    long result = 4 * to.floats() * index;
    return new Convolution(
        source + 4 * from.floats() * index,
        kernel,
        bias,
        added == 0 ? 0 : added + result,
        target + result,
        from,
        to,
        plane,
        1,
        window,
        doubled);
  }
}
