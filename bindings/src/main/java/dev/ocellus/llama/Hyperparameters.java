package dev.ocellus.llama;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufValue;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/**
 * Sizes of a text model, checked as libllama's code asserts, divides or indexes by them.
 *
 * @param nLayer transformer blocks
 * @param nEmbd floats of a hidden state
 * @param nHead query heads of a block
 * @param nHeadKv key and value heads of a block
 * @param headSize elements of one head, the same for keys and values
 * @param nWindowed blocks that see a limited number of tokens back, if the model has a window
 * @param yarn ends of YaRN's range, which libllama reads for few architectures
 */
record Hyperparameters(
    int nLayer, int nEmbd, int nHead, int nHeadKv, int headSize, int nWindowed, YarnRange yarn) {
  /**
   * Between which numbers of turns in the original context frequencies are interpolated.
   *
   * @param fast 32 unless the file says otherwise
   * @param slow 1 unless the file says otherwise
   */
  record YarnRange(float fast, float slow) {}

  /** {@code LLAMA_MAX_LAYERS}. */
  private static final int MAX_LAYERS = 512;

  /** Wider than any model by far, and small enough that products fit libllama's 32-bit integers. */
  private static final int MAX_EMBEDDING = 1 << 20;

  private static final int MAX_HEADS = 1 << 12;
  private static final int MAX_HEAD_SIZE = 1 << 12;
  private static final int MAX_FEED_FORWARD = 1 << 26;

  /** {@code LLAMA_MAX_EXPERTS}. */
  private static final int MAX_EXPERTS = 1024;

  private static final int MAX_CONTEXT = 1 << 28;
  private static final int MAX_WINDOW = 1 << 24;
  private static final Set<String> ROPE_SCALING = Set.of("none", "linear", "yarn", "longrope");
  private static final String WRONG =
      "The file is damaged, or was converted for another architecture.";
  private static final String LATER = "This kind of model is not supported in this release.";

  static Hyperparameters read(Path file, GgufMetadata metadata, TextArchitecture architecture) {
    return new Reader(file, metadata, architecture).read();
  }

  /** Reads one file; a class of its own only to keep the arguments together. */
  private static final class Reader {
    private final Path file;
    private final GgufMetadata metadata;
    private final TextArchitecture architecture;

    Reader(Path file, GgufMetadata metadata, TextArchitecture architecture) {
      this.file = file;
      this.metadata = metadata;
      this.architecture = architecture;
    }

    Hyperparameters read() {
      int nLayer = size("block_count", MAX_LAYERS);
      int nEmbd = size("embedding_length", MAX_EMBEDDING);
      size("context_length", MAX_CONTEXT);
      perLayer("feed_forward_length", nLayer, MAX_FEED_FORWARD);
      int nHead = perLayer("attention.head_count", nLayer, MAX_HEADS);
      int nHeadKv =
          metadata.contains(key("attention.head_count_kv"))
              ? perLayer("attention.head_count_kv", nLayer, MAX_HEADS)
              : nHead;
      require(
          nHead % nHeadKv == 0,
          "attention.head_count_kv",
          "a divisor of the %d heads".formatted(nHead),
          nHeadKv);
      int headSize = headSize(nEmbd, nHead);
      rotary(headSize);
      window();
      experts(nLayer);
      decoder(nLayer, nEmbd);
      floats();
      return new Hyperparameters(nLayer, nEmbd, nHead, nHeadKv, headSize, windowed(nLayer), yarn());
    }

    /** The last of every so many blocks sees all tokens; with 0, none does. */
    private int windowed(int nLayer) {
      int usual =
          switch (architecture.window) {
            case NONE -> 1;
            case OPTIONAL -> 6;
            case ALWAYS -> 2;
          };
      int every =
          metadata.find(key("attention.sliding_window_pattern")).orElse(null)
                  instanceof GgufValue.Int n
              ? (int) n.value()
              : usual;
      return every == 0 ? nLayer : nLayer - nLayer / every;
    }

    private int headSize(int nEmbd, int nHead) {
      int size = optional("attention.key_length", nEmbd / nHead);
      require(
          size >= 1 && size <= MAX_HEAD_SIZE,
          "attention.key_length",
          "1 to %d".formatted(MAX_HEAD_SIZE),
          size);
      same("attention.value_length", nEmbd / nHead, size);
      same("attention.key_length_swa", size, size);
      same("attention.value_length_swa", size, size);
      if (architecture.headsFillEmbedding) {
        require(
            (long) size * nHead == nEmbd,
            "attention.head_count",
            "heads of %d elements that fill the %d of embedding_length".formatted(size, nEmbd),
            nHead);
      }
      return size;
    }

    private void rotary(int headSize) {
      int rotated = optional("rope.dimension_count", headSize);
      boolean whole = architecture.rotary != TextArchitecture.Rotary.PART;
      require(
          rotated % 2 == 0 && (whole ? rotated == headSize : rotated >= 2 && rotated <= headSize),
          "rope.dimension_count",
          whole
              ? "%d, which must be even".formatted(headSize)
              : "an even number from 2 to %d".formatted(headSize),
          rotated);
      same("rope.dimension_count_swa", rotated, rotated);
      if (architecture.rotary == TextArchitecture.Rotary.SECTIONS) {
        sections(rotated);
      }
      metadata
          .findString(key("rope.scaling.type"))
          .ifPresent(type ->
              require(
                  ROPE_SCALING.contains(type),
                  "rope.scaling.type",
                  "one of " + ROPE_SCALING,
                  "\"" + type + "\""));
      optionalRange("rope.scaling.original_context_length", 1, MAX_CONTEXT);
      positive("rope.freq_base");
      positive("rope.freq_base_swa");
    }

    private YarnRange yarn() {
      String fast = "rope.scaling.yarn_beta_fast";
      String slow = "rope.scaling.yarn_beta_slow";
      positive(fast);
      positive(slow);
      return new YarnRange(metadata.f32(key(fast), 32), metadata.f32(key(slow), 1));
    }

    /** Pairs of a head that turn with time, height, width and a fourth axis; 4 numbers. */
    private void sections(int rotated) {
      String name = "rope.dimension_sections";
      long[] sections = metadata.integers(key(name));
      require(sections.length == 4, name, "4 numbers", sections.length);
      long sum = 0;
      for (long s : sections) {
        require(s >= 0 && s <= rotated, name, "0 to %d each".formatted(rotated), s);
        sum += s;
      }
      require(
          sum >= 1 && sum <= rotated / 2 && sections[3] < sum,
          name,
          "pairs for the first three axes, 1 to %d in all".formatted(rotated / 2),
          sum);
    }

    private void window() {
      String name = "attention.sliding_window";
      switch (architecture.window) {
        case NONE -> {}
        case OPTIONAL -> optionalRange(name, 0, MAX_WINDOW);
        case ALWAYS -> optionalRange(name, 1, MAX_WINDOW);
      }
      // every how many layers one sees all tokens; with 1 they all do, which libllama asserts
      // against
      String pattern = "attention.sliding_window_pattern";
      if (metadata.find(key(pattern)).orElse(null) instanceof GgufValue.Int every) {
        long n = every.value();
        require(
            n == 0 || n >= 2 && n <= MAX_LAYERS, pattern, "0, or 2 to %d".formatted(MAX_LAYERS), n);
      }
    }

    /** How many experts there are, and how many of them compute a token. */
    private void experts(int nLayer) {
      for (String name :
          new String[] {"expert_group_count", "expert_group_used_count", "nextn_predict_layers"}) {
        none(name);
      }
      String count = "expert_count";
      String used = "expert_used_count";
      int nExpert = 0;
      switch (architecture.experts) {
        case NONE -> none(count);
        case OPTIONAL -> {
          optionalRange(count, 0, MAX_EXPERTS);
          nExpert = optional(count, 0);
        }
        case ALWAYS -> nExpert = size(count, MAX_EXPERTS);
      }
      if (nExpert > 0) {
        uniform(used, nLayer, 1, nExpert, WRONG);
        optionalRange("expert_shared_feed_forward_length", 0, MAX_FEED_FORWARD);
        if (metadata.contains(key("expert_feed_forward_length"))) {
          uniform("expert_feed_forward_length", nLayer, 0, MAX_FEED_FORWARD, WRONG);
        }
      } else if (metadata.contains(key(used))) {
        uniform(used, nLayer, 0, 0, WRONG);
      }
    }

    /** A model that generates: no encoder for whole texts, no classifier. */
    private void decoder(int nLayer, int nEmbd) {
      if (!metadata.bool(key("attention.causal"), true)) {
        throw error(
            "attention.causal", "true", "false", "The model embeds texts; it cannot generate.");
      }
      int pooling = optional("pooling_type", 0);
      if (pooling != 0) {
        throw error(
            "pooling_type",
            "0 or none",
            "" + pooling,
            "The model embeds texts; it cannot generate.");
      }
      same("embedding_length_out", nEmbd, nEmbd);
      // the last layer computes only the tokens whose logits are wanted, and has no rows to add to
      optionalRange("n_deepstack_layers", 0, Math.min(nLayer - 1, 64));
    }

    /**
     * libllama asserts on a negative or undefined epsilon; nothing else has a use for infinities.
     */
    private void floats() {
      String prefix = architecture.ggufName + ".";
      metadata
          .asMap()
          .forEach((key, value) -> {
            if (key.startsWith(prefix) && value instanceof GgufValue.Real real) {
              float f = (float) real.value();
              boolean ok =
                  Float.isFinite(f)
                      && (f >= 0 || !key.startsWith("attention.layer_norm", prefix.length()));
              require(ok, key.substring(prefix.length()), "a finite number", f);
            }
          });
      positiveOrZero("rope.scaling.factor");
      positiveOrZero("rope.scale_linear");
    }

    private int size(String name, int max) {
      long value = metadata.integer(key(name));
      require(value >= 1 && value <= max, name, "1 to %d".formatted(max), value);
      return (int) value;
    }

    private int optional(String name, int defaultValue) {
      return metadata.int32(key(name), defaultValue);
    }

    private void optionalRange(String name, int min, int max) {
      metadata
          .findInteger(key(name))
          .ifPresent(v -> require(v >= min && v <= max, name, "%d to %d".formatted(min, max), v));
    }

    private void same(String name, int defaultValue, int expected) {
      int value = optional(name, defaultValue);
      require(value == expected, name, "" + expected, value);
    }

    private void none(String name) {
      long value = metadata.integer(key(name), 0);
      if (value != 0) {
        throw error(name, "0", Long.toUnsignedString(value), LATER);
      }
    }

    private void positive(String name) {
      metadata
          .findF32(key(name))
          .ifPresent(v -> require(v > 0 && Float.isFinite(v), name, "a positive number", v));
    }

    private void positiveOrZero(String name) {
      metadata
          .findF32(key(name))
          .ifPresent(v -> require(v >= 0 && Float.isFinite(v), name, "a number from 0 on", v));
    }

    /** A number that may be given once or for each layer, then always the same. */
    private int perLayer(String name, int nLayer, int max) {
      return uniform(name, nLayer, 1, max, WRONG);
    }

    private int uniform(String name, int nLayer, int min, int max, String remedy) {
      Optional<GgufValue> found = metadata.find(key(name));
      long value;
      if (found.orElse(null) instanceof GgufArray) {
        long[] values = metadata.integers(key(name));
        require(values.length == nLayer, name, nLayer + " numbers", values.length);
        value = values[0];
        for (long v : values) {
          if (v != value) {
            throw error(name, "the same number for all layers", value + " and " + v, LATER);
          }
        }
      } else {
        value = metadata.integer(key(name));
      }
      if (value < min || value > max) {
        throw error(name, min == max ? "" + min : min + " to " + max, "" + value, remedy);
      }
      return (int) value;
    }

    private String key(String name) {
      return architecture.ggufName + "." + name;
    }

    private void require(boolean ok, String name, String expected, Object found) {
      if (!ok) {
        throw error(name, expected, found.toString(), WRONG);
      }
    }

    private LlamaException error(String name, String expected, String found, String remedy) {
      return ModelGuard.refusal(file, "metadata \"" + key(name) + "\"", expected, found, remedy);
    }
  }
}
