package dev.ocellus.cli.options;

import dev.ocellus.cli.command.ModelPathConverter;
import dev.ocellus.cli.command.Range;
import dev.ocellus.vlm.options.ImageCacheOptions;
import dev.ocellus.vlm.options.PrefixCacheOptions;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.options.Speculation;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is remembered of images and prompts, and speculative decoding. */
public final class SessionMixin {
  @Option(
      names = "--image-cache",
      paramLabel = "on|off|DIR",
      description =
          "Keep encoded images on disk for later runs: on for the user's cache directory, or a directory; off remembers none even in memory. Default: in memory only.")
  @Nullable String imageCache;

  @Option(
      names = "--image-cache-size",
      paramLabel = "SIZE",
      description =
          "Max. size of the image cache on disk, such as 500M or 2G. Default: 1G. Those used longest ago are removed.")
  @Nullable String imageCacheSize;

  @Option(
      names = "--prefix-cache",
      paramLabel = "on|off|DIR",
      description =
          "Keep keys and values of prompts up to their last image on disk, so that later runs go on from there: on for the user's cache directory, or a directory. Default: off.")
  @Nullable String prefixCache;

  @Option(
      names = "--prefix-cache-size",
      paramLabel = "SIZE",
      description =
          "Max. size of the prefix cache. Default: 2G. Those used longest ago are removed.")
  @Nullable String prefixCacheSize;

  @Option(
      names = {"-md", "--model-draft"},
      paramLabel = "FILE|NAME",
      converter = ModelPathConverter.class,
      description =
          "A small model of the same vocabulary that proposes draft tokens, which the model checks together (speculative decoding).")
  @Nullable Path draftModel;

  @Option(
      names = {"--draft-max", "--draft", "--draft-n"},
      paramLabel = "N",
      description = "Max. number of draft tokens at a time. Default: 8.")
  @Range(min = 1, max = 64)
  @Nullable Integer draftMax;

  @Option(
      names = "--draft-p-min",
      paramLabel = "P",
      description = "Min. probability that the draft model must give a draft token. Default: 0.75.")
  @Range(min = 0, max = 1)
  @Nullable Float draftMinProbability;

  @Option(
      names = "--lookup",
      description = "Take draft tokens from earlier text (prompt lookup), without a draft model.")
  boolean lookup;

  @Option(
      names = "--checkpoint-memory",
      paramLabel = "SIZE",
      description =
          "Max. memory of checkpoints, such as 500M or 2G, from which a changed conversation is computed again by models with recurrent states (Qwen3.5, LFM2, Granite 4). 0: from its start. Default: 512M.")
  @Nullable String checkpointMemory;

  public SessionOptions options() {
    SessionOptions defaults = SessionOptions.defaults();
    return defaults
        .withCheckpointBytes(
            checkpointMemory == null
                ? defaults.checkpointBytes()
                : bytes("--checkpoint-memory", checkpointMemory))
        .withImageCache(imageCache())
        .withPrefixCache(prefixCache())
        .withSpeculation(speculation());
  }

  private PrefixCacheOptions prefixCache() {
    PrefixCacheOptions cache = PrefixCacheOptions.OFF;
    if (prefixCacheSize != null) {
      cache = cache.withDiskBytes(bytes("--prefix-cache-size", prefixCacheSize));
    }
    if (prefixCache == null || prefixCache.equals("off")) {
      return cache;
    }
    return cache.withDirectory(
        prefixCache.equals("on") ? PrefixCacheOptions.userDirectory() : Path.of(prefixCache));
  }

  private ImageCacheOptions imageCache() {
    ImageCacheOptions cache = ImageCacheOptions.defaults();
    if (imageCacheSize != null) {
      cache = cache.withDiskBytes(bytes("--image-cache-size", imageCacheSize));
    }
    if (imageCache == null) {
      return cache;
    }
    return switch (imageCache) {
      case "on" -> cache.withDirectory(ImageCacheOptions.userDirectory());
      case "off" -> ImageCacheOptions.OFF;
      default -> cache.withDirectory(Path.of(imageCache));
    };
  }

  private Speculation speculation() {
    Speculation defaults = Speculation.OFF;
    return new Speculation(
        lookup,
        draftModel,
        draftMax != null ? draftMax : defaults.draftMax(),
        draftMinProbability != null ? draftMinProbability : defaults.draftMinProbability());
  }

  /** A number of bytes with a unit of 1024: 500M, 2G, 100000. */
  public static long bytes(String option, String text) {
    String number = text.strip().toUpperCase(Locale.ROOT).replaceFirst("I?B$", "");
    int shift = 0;
    if (!number.isEmpty()) {
      shift =
          switch (number.charAt(number.length() - 1)) {
            case 'K' -> 10;
            case 'M' -> 20;
            case 'G' -> 30;
            case 'T' -> 40;
            default -> 0;
          };
    }
    try {
      long value = Long.parseLong(shift == 0 ? number : number.substring(0, number.length() - 1));
      if (value >= 0 && value <= Long.MAX_VALUE >> shift) {
        return value << shift;
      }
    } catch (NumberFormatException e) {
      throw wrongSize(option, text, e);
    }
    throw wrongSize(option, text, null);
  }

  private static IllegalArgumentException wrongSize(
      String option, String text, @Nullable NumberFormatException cause) {
    return new IllegalArgumentException(
        "%s: expected a size such as 500M or 2G, found '%s'".formatted(option, text), cause);
  }
}
