package dev.ocellus.vlm.model.tiling;

import dev.ocellus.vlm.image.Video;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Which frames of a video families look at, as their video processors choose them. */
public final class FrameSampling {
  private FrameSampling() {}

  /** Frames per second, on the average where they do not follow each other evenly. */
  static double rate(Video video) {
    return video.rate().orElse(video.fps());
  }

  /**
   * So many frames a second, evenly from the first to the last one ({@code
   * Qwen3VLVideoProcessor.sample_frames}).
   *
   * @param min frames at least, if there are as many
   * @param max frames at most
   */
  public static Video atRate(Video video, double fps, int min, int max) {
    int n = (int) (video.duration() * fps);
    return video.evenly(Math.max(1, Math.min(Math.max(n, min), max)));
  }

  /**
   * So many frames, each the first of a part of equal length ({@code default_sample_indices_fn}).
   * The reference refuses videos with fewer; here all are taken.
   */
  public static Video inParts(Video video, int n) {
    int total = video.nFrames();
    if (n >= total) {
      return video;
    }
    int parts = Math.max(1, n);
    return video.select(
        IntStream.range(0, parts).map(i -> (int) ((long) i * total / parts)).toArray());
  }

  /** The same with so many frames a second. */
  public static Video inPartsAtRate(Video video, double fps) {
    return inParts(video, count(video, fps));
  }

  /** How many frames a video has with so many a second. */
  static int count(Video video, double fps) {
    return (int) (video.nFrames() / rate(video) * fps);
  }

  /**
   * So many frames at equal steps ({@code InternVLVideoProcessor.sample_frames}). The reference
   * refuses videos with fewer; here all are taken.
   *
   * @param shift of the first one; NaN for half a step
   */
  public static Video inSteps(Video video, int n, double shift) {
    int total = video.nFrames();
    if (n > total) {
      return video;
    }
    double step = (double) total / Math.max(1, n);
    double start = Double.isNaN(shift) ? step / 2 : Math.min(shift, total - 1);
    int nSteps = (int) Math.ceil((total - start) / step);
    // torch.arange, which has singles
    return video.select(
        IntStream.range(0, nSteps)
            .map(i -> (int) (float) (start + i * step))
            .filter(i -> i < total)
            .toArray());
  }

  /**
   * So many frames at equal steps from the first one on, an even number of them ({@code
   * Qwen2VLVideoProcessor.sample_frames}).
   */
  public static Video inPairs(Video video, int n) {
    return inSteps(video, (int) Math.rint(n / 2.0) * QwenTiling.FRAMES, 0);
  }

  /**
   * The same with so many frames a second.
   *
   * @param min frames at least, if there are as many
   * @param max frames at most
   */
  public static Video inPairsAtRate(Video video, double fps, int min, int max) {
    int total = video.nFrames();
    int most = Math.min(max, total) / QwenTiling.FRAMES * QwenTiling.FRAMES;
    double n = Math.min(Math.max(total / rate(video) * fps, min), most);
    return inSteps(video, (int) (n / QwenTiling.FRAMES) * QwenTiling.FRAMES, 0);
  }

  /**
   * So many frames a second, but of a long video nothing of the first and the last second ({@code
   * SmolVLMVideoProcessor.sample_frames}).
   */
  public static Video withinMargins(Video video, double fps, int max) {
    int total = video.nFrames();
    int wanted = Math.max(1, (int) Math.min(Math.rint(fps * video.duration()), max));
    int start = 0;
    int end = total - 1;
    if (video.duration() - 2 > max * fps) {
      start = (int) video.fps();
      end = Math.min((int) (total - video.fps()), total - 1);
      if (start >= end) {
        start = 0;
        end = total - 1;
      }
    }
    return video.select(distinct(spread(start, end, wanted)));
  }

  /**
   * So many frames a second of the first seconds up to {@code maxSeconds}; of a longer video as
   * many, spread over all of it. Their number is even, the last one is taken twice for it ({@code
   * Glm4vVideoProcessor.sample_frames}).
   */
  public static Video atInterval(Video video, double fps, int maxSeconds) {
    int last = video.nFrames() - 1;
    double rate = rate(video);
    double duration = video.duration();
    int[] indices;
    if (duration <= maxSeconds) {
      int n = Math.max((int) Math.floor(duration * fps), 1);
      indices = IntStream.range(0, n).map(i -> ceil(i * rate / fps, last)).toArray();
    } else {
      int n = (int) (maxSeconds * fps);
      indices =
          n > last
              ? IntStream.rangeClosed(0, last).toArray()
              : IntStream.range(0, n)
                  .map(i -> ceil(point(0, duration, n, i) * rate, last))
                  .toArray();
    }
    return video.select(even(distinct(indices)));
  }

  private static int ceil(double frame, int last) {
    return (int) Math.min(last, Math.ceil(frame));
  }

  /**
   * Six frames of a second, two of a video above half a minute, one above five minutes, at most
   * 640, which are even in number ({@code Glm46VVideoProcessor.sample_frames}).
   */
  public static Video byLength(Video video) {
    int total = video.nFrames();
    double seconds = Math.min(video.duration(), 2400);
    double pairs = seconds <= 30 ? 3 : seconds <= 300 ? 1 : 0.5;
    int wanted = Math.min((int) (seconds * pairs * QwenTiling.FRAMES), 640);
    int[] indices =
        total < wanted
            ? spread(0, total - 1, wanted)
            : everySo(video, 1 / (QwenTiling.FRAMES * pairs), (int) video.duration());
    if (indices.length < wanted) {
      indices = spread(indices[0], indices[indices.length - 1], wanted);
    } else if (indices.length > wanted) {
      indices = spread(0, total - 1, Math.max(1, wanted));
    }
    return video.select(even(distinct(indices)));
  }

  /** The first frame of each interval, up to a second. */
  private static int[] everySo(Video video, double interval, int maxSecond) {
    double perFrame = 1 / rate(video);
    int[] indices = new int[video.nFrames()];
    int n = 0;
    double current = 0;
    for (int i = 0; i < indices.length; i++) {
      if (i * perFrame >= current) {
        current += interval;
        indices[n++] = i;
        if (current >= maxSecond) {
          break;
        }
      }
    }
    return Arrays.copyOf(indices, n);
  }

  /**
   * The first frame of each second; of a video of more seconds than {@code max} so many, among
   * those of each tenth of a second ({@code MiniCPMV4_6VideoProcessor.sample_frames}).
   */
  public static Video bySeconds(Video video, int max) {
    int last = video.nFrames() - 1;
    double rate = rate(video);
    double duration = video.duration();
    if (duration <= max) {
      int n = (int) Math.ceil(duration);
      return video.select(
          IntStream.range(0, n).map(i -> Math.min((int) (i * rate), last)).toArray());
    }
    int nTenths = (int) (duration / 0.1);
    int[] tenths =
        nTenths > max ? spread(0, nTenths - 1, max) : IntStream.range(0, nTenths).toArray();
    return video.select(
        Arrays.stream(tenths).map(i -> Math.min((int) (i / 10.0 * rate), last)).toArray());
  }

  /** {@code numpy.linspace} of whole numbers: rounded down, with both ends. */
  private static int[] spread(int start, int end, int n) {
    return IntStream.range(0, n).map(i -> (int) Math.floor(point(start, end, n, i))).toArray();
  }

  private static double point(double start, double end, int n, int i) {
    if (n > 1 && i == n - 1) {
      return end;
    }
    double step = n > 1 ? (end - start) / (n - 1) : 0;
    return i * step + start;
  }

  private static int[] distinct(int[] indices) {
    return Arrays.stream(indices).distinct().toArray();
  }

  private static int[] even(int[] indices) {
    if (indices.length % 2 == 0) {
      return indices;
    }
    int[] longer = Arrays.copyOf(indices, indices.length + 1);
    longer[indices.length] = indices[indices.length - 1];
    return longer;
  }
}
