package dev.ocellus.convert.model.base;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;

/**
 * What a checkpoint's processor does with videos where the program would do otherwise, in keys of
 * our own (docs/gguf.md). Settings are found as transformers finds them, {@code
 * get_video_processor_dict} of video_processing_utils.py: those of images count for a checkpoint
 * that has none for videos, and what is not said is the processor class's.
 */
public final class VideoKeys {
  /** Mean and deviation that many classes of processors have. */
  public static final float[] HALF = {0.5f, 0.5f, 0.5f};

  public static final float[] CLIP_MEAN = {0.48145466f, 0.4578275f, 0.40821073f};
  public static final float[] CLIP_STD = {0.26862954f, 0.26130258f, 0.27577711f};
  public static final float[] ZEROS = {0, 0, 0};
  public static final float[] ONES = {1, 1, 1};

  private static final String PREFIX = "clip.vision.video.";
  private static final String IMAGES = "preprocessor_config.json";
  private static final String VIDEOS = "video_preprocessor_config.json";

  private final HfConfig config;

  private VideoKeys(HfConfig config) {
    this.config = config;
  }

  /** Finds the settings of a checkpoint. */
  public static VideoKeys of(HfFolder folder) throws IOException {
    if (folder.json("processor_config.json").get("video_processor") instanceof ObjectNode nested) {
      return of(folder, "processor_config.json", nested);
    }
    String file = Files.exists(folder.file(VIDEOS)) ? VIDEOS : IMAGES;
    return of(folder, file, folder.json(file));
  }

  private static VideoKeys of(HfFolder folder, String file, ObjectNode settings) {
    ObjectNode copy = settings.deepCopy();
    copy.remove("model_type");
    return new VideoKeys(HfConfig.of(folder.file(file), copy));
  }

  /** The settings, for what has no key of its own name. */
  public HfConfig config() {
    return config;
  }

  /**
   * Writes a number.
   *
   * @param name of the setting
   * @param ofClass what the processor's class has
   * @param usual what the program takes without the key
   */
  public void integer(GgufWriter out, String key, String name, int ofClass, int usual) {
    integer(out, key, config.integerOr(name, ofClass), usual);
  }

  /** Writes a number that was found. */
  public void integer(GgufWriter out, String key, int value, int usual) {
    if (value < 1) {
      throw config.invalid(key, "an integer from 1", Integer.toString(value));
    }
    if (value != usual) {
      out.u32(PREFIX + key, value);
    }
  }

  /** Frames a second that are taken; the classes have 2 where the program takes 2. */
  public void rate(GgufWriter out, double usual) {
    rate(out, config.findReal("fps").orElse(usual), usual);
  }

  /** Writes a rate that was found. */
  public void rate(GgufWriter out, double fps, double usual) {
    if (!(fps > 0 && fps <= 100)) {
      throw config.invalid("fps", "a number above 0, at most 100", Double.toString(fps));
    }
    if (fps != usual) {
      out.f32(PREFIX + "fps", (float) fps);
    }
  }

  /** Pixels of all frames, or of each. */
  public void limits(GgufWriter out, PixelLimits found, PixelLimits usual) {
    integer(out, "min_pixels", found.min(), usual.min());
    integer(out, "max_pixels", found.max(), usual.max());
  }

  /** Whether frames are chosen, for classes that choose where nothing is said. */
  public void sampling(GgufWriter out) {
    if (!config.flag("do_sample_frames", true)) {
      out.bool(PREFIX + "sample_frames", false);
    }
  }

  /**
   * Which frames are chosen, for classes that take all where nothing is said.
   *
   * @return whether a checkpoint asks for a choice
   */
  public boolean samplingOnRequest(GgufWriter out, Context context) {
    if (!config.flag("do_sample_frames", false)) {
      return false;
    }
    int n = config.integerOr("num_frames", 0);
    boolean rated = config.findReal("fps").isPresent();
    if (n == 0 && !rated) {
      context.warn(
          "%s: do_sample_frames is true, and neither num_frames nor fps says how many; all frames of a video are taken."
              .formatted(config.file()));
      return false;
    }
    out.bool(PREFIX + "sample_frames", true);
    if (n == 0) {
      rate(out, 0);
      return true;
    }
    integer(out, "num_frames", n, 0);
    if (rated) {
      context.warn(
          "%s: num_frames and fps are both given, of which transformers takes one only; num_frames counts here."
              .formatted(config.file()));
    }
    return true;
  }

  /** Where the first frame is chosen; {@code true} is half a step, {@code false} the first one. */
  public void shift(GgufWriter out, String name) {
    JsonNode value = config.find(name);
    if (value == null || value.isBoolean() && value.asBoolean()) {
      return;
    }
    double shift = value.isBoolean() ? 0 : config.findReal(name).orElse(0);
    if (shift < 0) {
      throw config.invalid(name, "true, false or a number from 0", Double.toString(shift));
    }
    out.f32(PREFIX + name, (float) shift);
  }

  public void string(GgufWriter out, String key, String value) {
    out.string(PREFIX + key, value);
  }

  /**
   * Filter and colours, where they are not those of images.
   *
   * @param filter of images
   * @param images how images are normalized
   * @param mean of the class
   * @param std of the class
   */
  public void pixels(
      GgufWriter out, int filter, int filterOfClass, HfConfig images, float[] mean, float[] std) {
    int own = config.integerOr("resample", filterOfClass);
    if (own != filter) {
      out.u32(PREFIX + "image_resample", own);
    }
    if (!config.flag("do_normalize", true)) {
      out.bool(PREFIX + "do_normalize", false);
      return;
    }
    colours(out, images, "image_mean", mean, ZEROS);
    colours(out, images, "image_std", std, ONES);
  }

  private void colours(
      GgufWriter out, HfConfig images, String key, float[] ofClass, float[] ofNone) {
    float[] ofImages =
        images.flag("do_normalize", true) ? images.findFloats(key).orElse(ofClass) : ofNone;
    float[] own = config.findFloats(key).orElse(ofClass);
    if (own.length != ofImages.length) {
      throw config.invalid(key, "three numbers", Integer.toString(own.length));
    }
    if (!Arrays.equals(own, ofImages)) {
      out.floats(PREFIX + key, own);
    }
  }
}
