package dev.ocellus.vlm.generate;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.BeamOptions.EarlyStopping;
import dev.ocellus.vlm.vision.ConfigReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How a model generates where nobody says otherwise, from the keys under {@code
 * ocellus.generation.} of its file, which have the names and the defaults of {@code
 * GenerationConfig} of transformers. Files without them leave it to Ocellus.
 *
 * @param ends tokens that end an answer; null for those of the vocabulary
 * @param options all else
 */
record GenerationDefaults(int @Nullable [] ends, GenerationOptions options) {
  private static final String PREFIX = "ocellus.generation.";
  private static final String ENDS = PREFIX + "eos_token_ids";

  /** Tokens of an answer where a file says nothing of its length, as in the reference. */
  private static final int MAX_NEW_TOKENS = 20;

  private static final int MAX = 1 << 24;

  /** Those of the file of a text model. */
  static GenerationDefaults of(Path model) throws IOException {
    try (GgufFile file = GgufFile.open(model)) {
      return of(file.metadata());
    }
  }

  private static GenerationDefaults of(GgufMetadata metadata) {
    long[] ids = metadata.findIntegers(ENDS).orElse(null);
    if (ids == null) {
      return new GenerationDefaults(null, GenerationOptions.defaults());
    }
    var c = new ConfigReader(metadata, PREFIX);
    GenerationOptions options =
        metadata.bool(PREFIX + "do_sample", false)
            ? GenerationOptions.defaults()
            : GenerationOptions.greedy();
    BeamOptions beams = beams(metadata, c);
    int usual = beams.maxLength() > 0 ? -1 : MAX_NEW_TOKENS;
    int maxTokens =
        metadata.contains(PREFIX + "max_new_tokens") ? c.integer("max_new_tokens", 1, MAX) : usual;
    boolean searches = beams.changesGreedy() || maxTokens < 0;
    return new GenerationDefaults(
        Arrays.stream(ids).filter(id -> id >= 0 && id < MAX).mapToInt(id -> (int) id).toArray(),
        options.withMaxTokens(maxTokens).withBeams(searches ? beams : null));
  }

  private static BeamOptions beams(GgufMetadata metadata, ConfigReader c) {
    return new BeamOptions(
        c.integer("num_beams", 1, BeamOptions.MAX_BEAMS, 1),
        exact(metadata.f32(PREFIX + "length_penalty", 1)),
        earlyStopping(metadata, c),
        c.positive("repetition_penalty", 1),
        c.integer("no_repeat_ngram_size", 0, MAX, 0),
        c.integer("min_length", 0, MAX, 0),
        c.integer("min_new_tokens", 0, MAX, 0),
        c.integer("max_length", 0, MAX, 0),
        forced(metadata, "forced_bos_token_id"),
        forced(metadata, "forced_eos_token_id"));
  }

  private static int forced(GgufMetadata metadata, String key) {
    return metadata.int32(PREFIX + key, BeamOptions.NONE);
  }

  /** The number that was written, which single precision has rounded. */
  private static double exact(float value) {
    return Double.parseDouble(Float.toString(value));
  }

  private static EarlyStopping earlyStopping(GgufMetadata metadata, ConfigReader c) {
    String value = metadata.string(PREFIX + "early_stopping", "false");
    return switch (value) {
      case "false" -> EarlyStopping.NO;
      case "true" -> EarlyStopping.YES;
      case "never" -> EarlyStopping.NEVER;
      default -> throw c.invalid("early_stopping", "true, false or never", "'" + value + "'");
    };
  }
}
