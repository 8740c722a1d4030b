package dev.ocellus.llama;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufValue;
import java.util.Set;

/**
 * Sizes of a text model, checked as libllama's code asserts, divides or indexes by them.
 *
 * @param nLayer transformer blocks
 * @param nEmbd floats of a hidden state
 * @param nHeadKv key and value heads of a block, where all blocks have the same number
 * @param headSize elements of one head; where sizes differ, their greatest common divisor
 * @param nWindowed blocks that see a limited number of tokens back, if the model has a window
 * @param cache what a context keeps of tokens
 * @param takesEmbeddings whether libllama's graph computes embeddings in place of tokens
 * @param yarn ends of YaRN's range, which libllama reads for few architectures
 */
record Hyperparameters(
    int nLayer,
    int nEmbd,
    int nHeadKv,
    int headSize,
    int nWindowed,
    Cache cache,
    boolean takesEmbeddings,
    YarnRange yarn) {
  /**
   * What a context keeps.
   *
   * @param keys elements of the keys of one token in all blocks
   * @param values elements of its values
   * @param states recurrent states of one sequence
   * @param saved whether all blocks with keys have the same cache, so that the form of a saved one
   *     is known
   */
  record Cache(long keys, long values, RecurrentStates states, boolean saved) {
    /** Of a model without recurrent states. */
    Cache(long keys, long values, boolean saved) {
      this(keys, values, RecurrentStates.NONE, saved);
    }

    /** Floats of the recurrent states of one sequence. */
    long state() {
      return states.floats();
    }
  }

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

  private static final int MAX_FEED_FORWARD = 1 << 26;

  /** {@code LLAMA_MAX_EXPERTS}. */
  private static final int MAX_EXPERTS = 1024;

  /** {@code LLAMA_EXPERT_GATING_FUNC_TYPE_SQRT_SOFTPLUS}; 0 leaves it to the architecture. */
  private static final int MAX_GATING_FUNCTION = 4;

  private static final int MAX_CONTEXT = 1 << 28;
  private static final int MAX_WINDOW = 1 << 24;
  private static final String SECTIONS = "rope.dimension_sections";
  private static final Set<String> ROPE_SCALING = Set.of("none", "linear", "yarn", "longrope");

  static Hyperparameters read(GgufFile file, TextArchitecture architecture) {
    return new Reader(
            new ModelKeys(file, architecture.ggufName), architecture.ggufName, architecture.traits)
        .read();
  }

  /** Reads one file; a class of its own only to keep the arguments together. */
  private static final class Reader {
    private final ModelKeys keys;
    private final GgufMetadata metadata;
    private final String prefix;
    private final ArchitectureTraits traits;

    Reader(ModelKeys keys, String architecture, ArchitectureTraits traits) {
      this.keys = keys;
      this.metadata = keys.metadata();
      this.prefix = architecture + ".";
      this.traits = traits;
    }

    Hyperparameters read() {
      int nLayer = keys.size("block_count", MAX_LAYERS);
      int nEmbd = keys.size("embedding_length", MAX_EMBEDDING);
      keys.size("context_length", MAX_CONTEXT);
      feedForward(nLayer);
      nextTokenBlocks(nLayer);
      window();
      experts(nLayer);
      decoder(nLayer, nEmbd);
      floats();
      AttentionBlocks blocks = traits.attention.read(keys, traits, nLayer, nEmbd);
      rotary(blocks.rotated());
      traits.rules.forEach(rule -> rule.check(keys, nLayer, nEmbd));
      return new Hyperparameters(
          nLayer,
          nEmbd,
          blocks.nHeadKv(),
          blocks.headSize(),
          blocks.nWindowed(),
          blocks.cache(),
          !traits.embeddingsNeedSections || sections(),
          yarn());
    }

    /** Mixtures of experts may have no other feed-forward blocks. */
    private void feedForward(int nLayer) {
      String name = "feed_forward_length";
      boolean needed = !keys.has("expert_feed_forward_length");
      if (needed || keys.has(name)) {
        keys.each(name, nLayer, needed ? 1 : 0, MAX_FEED_FORWARD);
        if (!traits.blocksDiffer) {
          keys.uniform(name, nLayer, needed ? 1 : 0, MAX_FEED_FORWARD);
        }
      }
    }

    /** Blocks at the end that predict further tokens, which libllama leaves out. */
    private void nextTokenBlocks(int nLayer) {
      String name = "nextn_predict_layers";
      if (!traits.nextTokenBlocks) {
        keys.none(name);
      } else if (keys.optional(name, 0, 0, nLayer - 1) > 0) {
        // without it, libllama takes all other blocks to be left out too
        keys.requireTensor("blk.0.attn_norm.weight");
      }
    }

    /** Whether positions have axes. */
    private boolean sections() {
      long[] sections = metadata.findIntegers(keys.key(SECTIONS)).orElse(new long[2]);
      return sections[0] > 0 && sections[1] > 0;
    }

    private void rotary(int rotated) {
      switch (traits.rotary) {
        case PART, WHOLE_HEAD -> {}
        case SECTIONS, PART_BY_SECTIONS -> sections(rotated, false);
        case PART_OR_SECTIONS, WHOLE_OR_SECTIONS -> {
          if (keys.has(SECTIONS)) {
            sections(rotated, true);
          }
        }
      }
      metadata
          .findString(keys.key("rope.scaling.type"))
          .ifPresent(type ->
              keys.require(
                  ROPE_SCALING.contains(type),
                  "rope.scaling.type",
                  "one of " + ROPE_SCALING,
                  "\"" + type + "\""));
      keys.optionalRange("rope.scaling.original_context_length", 1, MAX_CONTEXT);
      keys.positive("rope.freq_base");
      keys.positive("rope.freq_base_swa");
    }

    private YarnRange yarn() {
      String fast = "rope.scaling.yarn_beta_fast";
      String slow = "rope.scaling.yarn_beta_slow";
      keys.positive(fast);
      keys.positive(slow);
      return new YarnRange(metadata.f32(keys.key(fast), 32), metadata.f32(keys.key(slow), 1));
    }

    /** Pairs of a head that turn with time, height, width and a fourth axis; 4 numbers. */
    private void sections(int rotated, boolean mayBeNone) {
      String name = SECTIONS;
      long[] sections = metadata.integers(keys.key(name));
      keys.require(sections.length == 4, name, "4 numbers", sections.length);
      long sum = 0;
      for (long s : sections) {
        keys.require(s >= 0 && s <= rotated, name, "0 to %d each".formatted(rotated), s);
        sum += s;
      }
      keys.require(
          sum >= 1 && sum <= rotated / 2 && sections[3] < sum || mayBeNone && sum == 0,
          name,
          "pairs for the first three axes, 1 to %d in all".formatted(rotated / 2),
          sum);
    }

    private void window() {
      String name = "attention.sliding_window";
      switch (traits.window) {
        case NONE -> {}
        case OPTIONAL -> keys.optionalRange(name, 0, MAX_WINDOW);
        case ALWAYS -> keys.optionalRange(name, 1, MAX_WINDOW);
      }
      // every how many layers one sees all tokens; with 1 they all do, which libllama asserts
      // against
      String pattern = "attention.sliding_window_pattern";
      if (metadata.find(keys.key(pattern)).orElse(null) instanceof GgufValue.Int every) {
        long n = every.value();
        keys.require(
            n == 0 || n >= 2 && n <= MAX_LAYERS, pattern, "0, or 2 to %d".formatted(MAX_LAYERS), n);
      }
    }

    /** How many experts there are, and how many of them compute a token. */
    private void experts(int nLayer) {
      String count = "expert_count";
      String used = "expert_used_count";
      int nExpert = 0;
      switch (traits.experts) {
        case NONE -> keys.none(count);
        case OPTIONAL -> nExpert = keys.optional(count, 0, 0, MAX_EXPERTS);
        case ALWAYS -> nExpert = keys.size(count, MAX_EXPERTS);
        case ONE_IS_NONE -> {
          keys.optionalRange(count, 0, 1);
          keys.optionalRange(used, 0, 1);
          groups(0);
          return;
        }
      }
      groups(nExpert);
      if (nExpert > 0) {
        keys.uniform(used, nLayer, 1, nExpert);
        keys.optionalRange("expert_shared_feed_forward_length", 0, MAX_FEED_FORWARD);
        keys.optionalRange("expert_shared_count", 0, MAX_EXPERTS);
        keys.optionalRange("expert_gating_func", 0, MAX_GATING_FUNCTION);
        if (keys.has("expert_feed_forward_length")) {
          keys.uniform("expert_feed_forward_length", nLayer, 0, MAX_FEED_FORWARD);
        }
      } else if (keys.has(used)) {
        keys.uniform(used, nLayer, 0, 0);
      }
    }

    /** Of some groups of experts, the best ones are chosen before the experts themselves. */
    private void groups(int nExpert) {
      String count = "expert_group_count";
      String used = "expert_group_used_count";
      if (!traits.expertGroups || nExpert == 0) {
        keys.none(count);
        keys.none(used);
        return;
      }
      int n = keys.optional(count, 0, 0, nExpert - 1);
      if (n > 1) {
        // the two best experts of each group are its score
        boolean fits = nExpert % n == 0 && nExpert / n >= 2;
        keys.require(fits, count, "a divisor of %d, at least 2 in each".formatted(nExpert), n);
        int nUsed = keys.required(used, 1, n - 1);
        int chosen = keys.optional("expert_used_count", 0);
        int open = nUsed * (nExpert / n);
        keys.require(chosen <= open, "expert_used_count", "1 to %d".formatted(open), chosen);
      } else {
        keys.optionalRange(used, 0, 1);
      }
    }

    /** A model that generates: no encoder for whole texts, no classifier. */
    private void decoder(int nLayer, int nEmbd) {
      if (!metadata.bool(keys.key("attention.causal"), true)) {
        throw keys.error(
            "attention.causal", "true", "false", "The model embeds texts; it cannot generate.");
      }
      int pooling = keys.optional("pooling_type", 0);
      if (pooling != 0) {
        throw keys.error(
            "pooling_type",
            "0 or none",
            "" + pooling,
            "The model embeds texts; it cannot generate.");
      }
      keys.same("embedding_length_out", nEmbd, nEmbd);
      // the last layer computes only the tokens whose logits are wanted, and has no rows to add to
      keys.optionalRange("n_deepstack_layers", 0, Math.min(nLayer - 1, 64));
    }

    /**
     * libllama asserts on a negative or undefined epsilon; nothing else has a use for infinities.
     */
    private void floats() {
      metadata
          .asMap()
          .forEach((key, value) -> {
            if (key.startsWith(prefix) && value instanceof GgufValue.Real real) {
              float f = (float) real.value();
              boolean ok =
                  Float.isFinite(f)
                      && (f >= 0 || !key.startsWith("attention.layer_norm", prefix.length()));
              keys.require(ok, key.substring(prefix.length()), "a finite number", f);
            }
          });
      keys.positiveOrZero("rope.scaling.factor");
      keys.positiveOrZero("rope.scale_linear");
    }
  }
}
