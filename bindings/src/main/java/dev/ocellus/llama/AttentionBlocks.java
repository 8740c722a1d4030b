package dev.ocellus.llama;

import dev.ocellus.gguf.GgufValue;
import dev.ocellus.llama.ArchitectureTraits.Rotary;
import dev.ocellus.llama.ArchitectureTraits.Window;
import dev.ocellus.llama.Hyperparameters.Cache;

/**
 * Heads of a text model, and what its cache holds.
 *
 * @param nHeadKv key and value heads of a block, where all blocks have the same number
 * @param headSize elements of one head; where sizes differ, their greatest common divisor
 * @param rotated elements of a head that are rotated by positions
 * @param nWindowed blocks that see a limited number of tokens back
 * @param cache what a context keeps
 */
record AttentionBlocks(int nHeadKv, int headSize, int rotated, int nWindowed, Cache cache) {
  static final int MAX_HEADS = 1 << 12;
  static final int MAX_HEAD_SIZE = 1 << 12;
  static final String HEADS = "attention.head_count";
  static final String HEADS_KV = "attention.head_count_kv";
  static final String KEY_LENGTH = "attention.key_length";
  static final String VALUE_LENGTH = "attention.value_length";
  static final String ROTATED = "rope.dimension_count";

  /** Reads the heads of one kind of model. */
  @FunctionalInterface
  interface Reader {
    AttentionBlocks read(ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd);
  }

  /** All blocks have the same heads, whose keys are as long as their values. */
  static AttentionBlocks alike(ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd) {
    int nHead = keys.uniform(HEADS, nLayer, 1, MAX_HEADS);
    int nHeadKv = keys.has(HEADS_KV) ? keys.uniform(HEADS_KV, nLayer, 1, MAX_HEADS) : nHead;
    requireDivisor(keys, nHead, nHeadKv);
    int size = headSize(keys, traits, nEmbd, nHead);
    long elements = (long) size * nHeadKv * nLayer;
    return new AttentionBlocks(
        nHeadKv,
        size,
        rotated(keys, traits, size),
        windowed(keys, traits, nLayer),
        new Cache(elements, elements, traits.saved));
  }

  static void requireDivisor(ModelKeys keys, long nHead, long nHeadKv) {
    keys.require(
        nHead % nHeadKv == 0, HEADS_KV, "a divisor of the %d heads".formatted(nHead), nHeadKv);
  }

  static int headSize(ModelKeys keys, ArchitectureTraits traits, int nEmbd, int nHead) {
    int size = keys.optional(KEY_LENGTH, nEmbd / nHead);
    keys.require(
        size >= 1 && size <= MAX_HEAD_SIZE, KEY_LENGTH, "1 to %d".formatted(MAX_HEAD_SIZE), size);
    keys.same(VALUE_LENGTH, nEmbd / nHead, size);
    keys.same("attention.key_length_swa", size, size);
    keys.same("attention.value_length_swa", size, size);
    if (traits.headsFillEmbedding) {
      keys.require(
          (long) size * nHead == nEmbd,
          HEADS,
          "heads of %d elements that fill the %d of embedding_length".formatted(size, nEmbd),
          nHead);
    }
    return size;
  }

  static int rotated(ModelKeys keys, ArchitectureTraits traits, int headSize) {
    int rotated = keys.optional(ROTATED, headSize);
    boolean whole =
        traits.rotary == Rotary.WHOLE_HEAD
            || traits.rotary == Rotary.SECTIONS
            || traits.rotary == Rotary.WHOLE_OR_SECTIONS;
    keys.require(
        rotated % 2 == 0 && (whole ? rotated == headSize : rotated >= 2 && rotated <= headSize),
        ROTATED,
        whole
            ? "%d, which must be even".formatted(headSize)
            : "an even number from 2 to %d".formatted(headSize),
        rotated);
    keys.same("rope.dimension_count_swa", rotated, rotated);
    return rotated;
  }

  /** The last of every so many blocks sees all tokens; with 0, none does. */
  private static int windowed(ModelKeys keys, ArchitectureTraits traits, int nLayer) {
    int every =
        keys.metadata().find(keys.key("attention.sliding_window_pattern")).orElse(null)
                instanceof GgufValue.Int n
            ? (int) n.value()
            : traits.window == Window.NONE ? 1 : traits.windowPeriod;
    return every == 0 ? nLayer : nLayer - nLayer / every;
  }
}
