package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.Resize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.nn.Rope2d;
import dev.ocellus.vlm.vision.ConfigReader;
import dev.ocellus.vlm.vision.EncoderGraph;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import dev.ocellus.vlm.vision.Tiles;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What the Qwen-VL generations from 2 on share: images keep their aspect ratio and become a grid of
 * patches, whose rows come in squares of {@code merge} by {@code merge} that a projector joins.
 *
 * <p>The reference is {@code Qwen2VLImageProcessorPil} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/qwen2_vl/image_processing_pil_qwen2_vl.py">image_processing_pil_qwen2_vl.py</a>.
 * It gives every patch two frames, as of a video; those of an image are equal, so the tiles hold
 * one, and the kernels of the two are added up when they are loaded.
 */
public final class QwenPatches {
  /** Colours and sizes of a generation, for files that do not say. */
  public record Defaults(double[] mean, double[] std, int minPixels, int maxPixels) {}

  /** What the published chat templates write where an image stands, between its two marks. */
  public static final String IMAGE_MARKER = "<|image_pad|>";

  /** The published templates without their tool parts. */
  public static final String CHAT_TEMPLATE =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
          + "{% if message['content'] is string %}{{ message['content'] }}"
          + "{% else %}{% for part in message['content'] %}"
          + "{% if part['type'] == 'image' %}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}"
          + "{% elif part['type'] == 'video' %}{{ '<|vision_start|><|video_pad|><|vision_end|>' }}"
          + "{% else %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
          + "{{ '<|im_end|>\\n' }}{% endfor %}"
          + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  /** The reference refuses longer images. */
  private static final int MAX_ASPECT_RATIO = 200;

  /** More patches than this have no room in an array of pixels, nor in any context. */
  private static final long MAX_PATCHES = 1 << 20;

  /** Frames that become one grid of rows. */
  public static final int FRAMES = 2;

  /** Most pixel values of a video, 2 GiB. */
  private static final long MAX_VIDEO_VALUES = 1 << 29;

  /** What the published chat templates write where a video stands, between its two marks. */
  public static final String VIDEO_MARKER = "<|video_pad|>";

  /** An image's place as the published templates write it. */
  public static final String WRITTEN_IMAGE = "<|vision_start|>" + IMAGE_MARKER + "<|vision_end|>";

  public static final ImagePlaceholder VIDEO_PLACE =
      new ImagePlaceholder(
          VIDEO_MARKER, "", "", "<|vision_start|>" + VIDEO_MARKER + "<|vision_end|>");

  private static final double ROPE_THETA = 10_000;

  private final int patchSize;
  private final int merge;
  private final int nEmbd;
  private final long minPixels;
  private final long maxPixels;
  private final Normalize normalize;
  private final ResizeFilter filter;
  private final Tensor kernel;
  private final List<Tensor> frameKernels;
  private final @Nullable Tensor bias;

  /**
   * @param weights those of the tower, under {@code v.}
   */
  public QwenPatches(GgufMetadata metadata, Weights weights, int nEmbd, Defaults defaults) {
    var c = new ConfigReader(metadata, "clip.vision.");
    this.nEmbd = nEmbd;
    patchSize = c.integer("patch_size", 1, 256);
    merge = c.integer("spatial_merge_size", 1, 16, 2);
    minPixels = c.integer("image_min_pixels", 1, 1 << 28, defaults.minPixels);
    maxPixels = c.integer("image_max_pixels", 1, 1 << 28, defaults.maxPixels);
    if (minPixels > maxPixels) {
      throw c.invalid("image_min_pixels", "at most " + maxPixels, Long.toString(minPixels));
    }
    normalize =
        Normalize.of(
            c.perChannel("image_mean", 0, 1, defaults.mean),
            c.perChannel("image_std", 1e-3, 1e3, defaults.std));
    filter = c.filter(ResizeFilter.BICUBIC);
    Weights w = weights.at("patch_embd");
    kernel =
        w.f32Sum(
            "weight",
            "weight.1",
            new long[] {patchSize, patchSize, 3, nEmbd},
            3L * patchSize * patchSize,
            nEmbd);
    frameKernels = List.of(frameKernel(w, "weight"), frameKernel(w, "weight.1"));
    bias = w.findF32("bias", nEmbd);
  }

  private Tensor frameKernel(Weights w, String name) {
    return w.f32Reshaped(
        name, new long[] {patchSize, patchSize, 3, nEmbd}, 3L * patchSize * patchSize, nEmbd);
  }

  /** Pixels of a patch's side. */
  public int patchSize() {
    return patchSize;
  }

  /** Patches of a token's side. */
  public int mergeSize() {
    return merge;
  }

  /** Rows that become one token. */
  public int merged() {
    return merge * merge;
  }

  public ImageInput prepare(RgbImage image, ImageOptions options) {
    ImageSize size = size(image.size(), options);
    int gridX = size.width() / patchSize;
    int gridY = size.height() / patchSize;
    float[] planes = normalize.apply(Resize.resize(image, size, filter));
    long nPatches = (long) gridX * gridY;
    long rowLength = 3L * patchSize * patchSize;
    return new ImageInput(
        List.of(
            new Tiles(
                patches(planes, gridX, gridY), List.of(rowLength, nPatches, 1L, 1L), gridX, gridY)),
        List.of((int) nPatches, (int) (2 * rowLength)),
        1,
        1,
        List.of(ImagePiece.Rows.grid(gridX / merge, gridY / merge)),
        2,
        null);
  }

  /**
   * Frames of one size in pairs, of which each becomes a grid of rows. If they are odd in number
   * the last one is taken twice.
   *
   * @param size of a frame when it is encoded
   */
  public ImageInput prepare(Video video, ImageSize size, List<ImagePiece> layout) {
    int gridX = size.width() / patchSize;
    int gridY = size.height() / patchSize;
    int nPairs = Math.ceilDiv(video.nFrames(), FRAMES);
    long nPatches = (long) gridX * gridY;
    int frameLength = Math.toIntExact(3 * size.pixels());
    if ((long) frameLength * FRAMES * nPairs > MAX_VIDEO_VALUES) {
      throw new ImageFormatException(
          ImageFormatException.Kind.TOO_LARGE,
          "A video of %d frames would be encoded at %s, which is too large. Take fewer frames, or lower the most tokens of an image."
              .formatted(video.nFrames(), size));
    }
    float[] pixels = new float[frameLength * FRAMES * nPairs];
    IntStream.range(0, FRAMES * nPairs)
        .parallel()
        .forEach(i -> {
          RgbImage frame = video.frames().get(Math.min(i, video.nFrames() - 1));
          float[] planes = normalize.apply(Resize.resize(frame, size, filter));
          System.arraycopy(patches(planes, gridX, gridY), 0, pixels, i * frameLength, frameLength);
        });
    long rowLength = 3L * patchSize * patchSize;
    return new ImageInput(
        List.of(
            new Tiles(
                pixels, List.of(rowLength, nPatches, (long) FRAMES, (long) nPairs), gridX, gridY)),
        List.of((int) nPatches * nPairs, (int) (FRAMES * rowLength)),
        1,
        1,
        layout,
        FRAMES,
        null);
  }

  /** Rows of a video's pairs of frames on their grids. */
  public ImagePiece rows(ImageSize size, List<Integer> times) {
    int token = patchSize * merge;
    return ImagePiece.Rows.grids(size.width() / token, size.height() / token, times);
  }

  /** The size at which an image, or a frame of a video, is encoded. */
  public ImageSize size(ImageSize size, ImageOptions options) {
    int factor = patchSize * merge;
    long perToken = (long) factor * factor;
    long least = options.minTokens() > 0 ? options.minTokens() * perToken : minPixels;
    long most =
        options.maxTokens() > 0 ? options.maxTokens() * perToken : Math.max(maxPixels, least);
    ImageSize resized = smartResize(size, factor, Math.min(least, most), most);
    if (resized.pixels() > MAX_PATCHES * patchSize * patchSize
        || 3 * resized.pixels() > Integer.MAX_VALUE / 4) {
      throw new ImageFormatException(
          ImageFormatException.Kind.TOO_LARGE,
          "An image of %d x %d pixels would be encoded at %d x %d, which is too large. Lower the most tokens of an image."
              .formatted(size.width(), size.height(), resized.width(), resized.height()));
    }
    return resized;
  }

  /**
   * {@code smart_resize}: sides that are multiples of a token's, as close to the aspect ratio as
   * the limits of the area allow. Python rounds halves to even numbers, as {@link Math#rint} does.
   *
   * @param factor pixels of a token's side
   * @param least pixels at least
   * @param most pixels at most
   */
  public static ImageSize smartResize(ImageSize size, int factor, long least, long most) {
    long width = size.width();
    long height = size.height();
    requireAspectRatio(width, height);
    long newWidth = (long) Math.rint((double) width / factor) * factor;
    long newHeight = (long) Math.rint((double) height / factor) * factor;
    if (newWidth * newHeight > most) {
      double beta = Math.sqrt((double) (width * height) / most);
      newWidth = Math.max(factor, (long) Math.floor(width / beta / factor) * factor);
      newHeight = Math.max(factor, (long) Math.floor(height / beta / factor) * factor);
    } else if (newWidth * newHeight < least) {
      double beta = Math.sqrt((double) least / (width * height));
      newWidth = (long) Math.ceil(width * beta / factor) * factor;
      newHeight = (long) Math.ceil(height * beta / factor) * factor;
    }
    return new ImageSize((int) newWidth, (int) newHeight);
  }

  public static void requireAspectRatio(long width, long height) {
    double ratio = (double) Math.max(width, height) / Math.min(width, height);
    if (ratio > MAX_ASPECT_RATIO) {
      throw new ImageFormatException(
          ImageFormatException.Kind.UNSUPPORTED,
          "An image of %d x %d pixels has an aspect ratio of %.0f, and this model takes at most %d. Crop it or cut it into parts."
              .formatted(width, height, ratio, MAX_ASPECT_RATIO));
    }
  }

  /** From planes to [nPatches][channel, y, x], patches in the order of {@link #order}. */
  private float[] patches(float[] planes, int gridX, int gridY) {
    int width = gridX * patchSize;
    int plane = planes.length / 3;
    float[] out = new float[planes.length];
    Order order = order(gridX, gridY);
    int to = 0;
    for (int patch = 0; patch < order.rows.length; patch++) {
      int corner = order.rows[patch] * patchSize * width + order.columns[patch] * patchSize;
      for (int channel = 0; channel < 3; channel++) {
        for (int y = 0; y < patchSize; y++) {
          System.arraycopy(planes, channel * plane + corner + y * width, out, to, patchSize);
          to += patchSize;
        }
      }
    }
    return out;
  }

  /** Row and column of every patch, in the order in which they are encoded. */
  public record Order(int[] rows, int[] columns) {
    /** The tokens of this order rearranged: token i is what was token {@code tokens[i]}. */
    public Order rearranged(int[] tokens) {
      int perToken = rows.length / tokens.length;
      int[] newRows = new int[rows.length];
      int[] newColumns = new int[rows.length];
      for (int i = 0; i < tokens.length; i++) {
        System.arraycopy(rows, tokens[i] * perToken, newRows, i * perToken, perToken);
        System.arraycopy(columns, tokens[i] * perToken, newColumns, i * perToken, perToken);
      }
      return new Order(newRows, newColumns);
    }
  }

  /** Token by token, line by line, and within a token line by line. */
  public Order order(int gridX, int gridY) {
    int[] rows = new int[gridX * gridY];
    int[] columns = new int[gridX * gridY];
    int i = 0;
    for (int tokenY = 0; tokenY < gridY; tokenY += merge) {
      for (int tokenX = 0; tokenX < gridX; tokenX += merge) {
        for (int y = 0; y < merge; y++) {
          for (int x = 0; x < merge; x++) {
            rows[i] = tokenY + y;
            columns[i++] = tokenX + x;
          }
        }
      }
    }
    return new Order(rows, columns);
  }

  public Order order(EncoderGraph graph) {
    return order(graph.gridX(), graph.gridY());
  }

  /** From the pixels to [nEmbd, nPatches, n]. */
  public Tensor embed(EncoderGraph graph) {
    Tensor pixels = graph.pixels();
    Tensor x;
    if (pixels.size(2) == FRAMES) {
      x = frame(pixels, 0).mulMat(frameKernels.get(0));
      x = x.add(frame(pixels, 1).mulMat(frameKernels.get(1)));
    } else {
      x = frame(pixels, 0).mulMat(kernel);
    }
    return bias == null ? x : x.add(bias);
  }

  /** One of the frames of every pair: [row length, nPatches, n]. */
  private static Tensor frame(Tensor pixels, int i) {
    long row = pixels.size(0);
    long nPatches = pixels.size(1);
    long n = pixels.size(3);
    Tensor plane =
        pixels.size(2) == 1
            ? pixels
            : pixels.slice(new long[] {0, 0, i}, row, nPatches, 1, n).contiguous();
    return plane.reshape(row, nPatches, n);
  }

  /** Rotary positions of patches in this order. */
  public static Rope2d rope(EncoderGraph graph, Order order, int dHead) {
    Rope2d.Tables tables = Rope2d.Tables.of(dHead, order.rows, order.columns, ROPE_THETA);
    int n = order.rows.length;
    return new Rope2d(
        graph.table("rope.cos", tables.cos(), dHead, 1, n),
        graph.table("rope.sin", tables.sin(), dHead, 1, n));
  }

  /** Joins the rows of every token: [nEmbd, nPatches, n] to [nEmbd · merged, tokens, n]. */
  public Tensor merge(Tensor x) {
    return x.reshape((long) nEmbd * merged(), x.size(1) / merged(), x.size(2));
  }

  /** The back of {@link #merge}. */
  public Tensor split(Tensor x) {
    return x.reshape(nEmbd, x.size(1) * merged(), x.size(2));
  }
}
