package dev.ocellus.llama;

import static dev.ocellus.llama.AttentionBlocks.HEADS;
import static dev.ocellus.llama.AttentionBlocks.HEADS_KV;
import static dev.ocellus.llama.AttentionBlocks.KEY_LENGTH;
import static dev.ocellus.llama.AttentionBlocks.MAX_HEADS;
import static dev.ocellus.llama.AttentionBlocks.MAX_HEAD_SIZE;
import static dev.ocellus.llama.AttentionBlocks.ROTATED;
import static dev.ocellus.llama.AttentionBlocks.VALUE_LENGTH;

import dev.ocellus.llama.Hyperparameters.Cache;

/**
 * Heads that differ from block to block, or whose keys are not as long as their values.
 *
 * <p>Source: {@code src/models/gemma4.cpp}, {@code deepseek2.cpp} and {@code minicpm3.cpp} of
 * llama.cpp v0.4.0.
 */
final class UnequalBlocks {
  private static final int MAX_RANK = 1 << 16;
  private static final String WINDOWS = "attention.sliding_window_pattern";
  private static final String SHARED = "attention.shared_kv_layers";
  private static final String PER_LAYER = "embedding_length_per_layer_input";
  private static final String RANK = "attention.kv_lora_rank";

  private UnequalBlocks() {}

  /**
   * Gemma 4: heads of blocks with a window have another size, and the last blocks take the keys and
   * values of the last block of their kind before them.
   */
  static AttentionBlocks gemma4(ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd) {
    long[] nHead = keys.each(HEADS, nLayer, 1, MAX_HEADS);
    long[] nHeadKv = keys.has(HEADS_KV) ? keys.each(HEADS_KV, nLayer, 1, MAX_HEADS) : nHead;
    int whole = gemma4HeadSize(keys, "", nEmbd / (int) nHead[0]);
    int windowed = gemma4HeadSize(keys, "_swa", 0);
    boolean[] hasWindow = windows(keys, nLayer);
    int nOwn = ownKeys(keys, nLayer, hasWindow);
    keys.required(PER_LAYER, 0, 1 << 20);
    long elements = 0;
    int nWindowed = 0;
    for (int i = 0; i < nLayer; i++) {
      AttentionBlocks.requireDivisor(keys, nHead[i], nHeadKv[i]);
      nWindowed += hasWindow[i] ? 1 : 0;
      elements += i < nOwn ? nHeadKv[i] * (hasWindow[i] ? windowed : whole) : 0;
    }
    return new AttentionBlocks(
        (int) nHeadKv[0],
        gcd(whole, windowed),
        rotatedPart(keys, ROTATED, whole),
        nWindowed,
        new Cache(elements, elements, false));
  }

  private static int gemma4HeadSize(ModelKeys keys, String suffix, int defaultValue) {
    int size = keys.optional(KEY_LENGTH + suffix, defaultValue, 2, MAX_HEAD_SIZE);
    keys.require(size >= 2, KEY_LENGTH + suffix, "2 to %d".formatted(MAX_HEAD_SIZE), size);
    keys.same(VALUE_LENGTH + suffix, defaultValue, size);
    int rotated =
        suffix.isEmpty()
            ? rotatedPart(keys, ROTATED, size)
            : rotatedPart(keys, "rope.dimension_count_swa", size, keys.optional(ROTATED, size));
    keys.require(rotated <= size, ROTATED + suffix, "at most %d".formatted(size), rotated);
    return size;
  }

  private static int rotatedPart(ModelKeys keys, String name, int headSize) {
    return rotatedPart(keys, name, headSize, headSize);
  }

  private static int rotatedPart(ModelKeys keys, String name, int headSize, int defaultValue) {
    int rotated = keys.optional(name, defaultValue);
    keys.require(
        rotated % 2 == 0 && rotated >= 2 && rotated <= headSize,
        name,
        "an even number from 2 to %d".formatted(headSize),
        rotated);
    return rotated;
  }

  private static boolean[] windows(ModelKeys keys, int nLayer) {
    boolean[] windows = keys.metadata().bools(keys.key(WINDOWS));
    keys.require(windows.length == nLayer, WINDOWS, nLayer + " of them", windows.length);
    boolean any = false;
    for (boolean w : windows) {
      any |= w;
    }
    keys.require(any, WINDOWS, "a block with a window at least", "none");
    return windows;
  }

  /** How many blocks have keys and values of their own. */
  private static int ownKeys(ModelKeys keys, int nLayer, boolean[] hasWindow) {
    keys.require(nLayer >= 2, "block_count", "2 or more", nLayer);
    int nShared = keys.optional(SHARED, 0, 0, nLayer - 2);
    int nOwn = nLayer - nShared;
    for (int i = nOwn; i < nLayer; i++) {
      // libllama takes the block before the last of the others to have a window, and the last none
      keys.require(
          hasWindow[hasWindow[i] ? nOwn - 2 : nOwn - 1] == hasWindow[i],
          SHARED,
          "blocks that share with one of their kind, with a window or without",
          nShared);
    }
    return nOwn;
  }

  /**
   * DeepSeek 2 and 3: keys and values of a low rank. With the lengths of its heads beside that of
   * the cache (MLA), libllama keeps the low rank alone.
   */
  static AttentionBlocks lowRank(ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd) {
    int nHead = keys.uniform(HEADS, nLayer, 1, MAX_HEADS);
    int nHeadKv = keys.has(HEADS_KV) ? keys.uniform(HEADS_KV, nLayer, 1, MAX_HEADS) : nHead;
    int key = keys.optional(KEY_LENGTH, nEmbd / nHead, 1, MAX_RANK);
    int value = keys.optional(VALUE_LENGTH, nEmbd / nHead, 1, MAX_RANK);
    int rotated = keys.optional(ROTATED, key, 2, MAX_HEAD_SIZE);
    keys.require(rotated % 2 == 0, ROTATED, "an even number", rotated);
    keys.same("rope.dimension_count_swa", rotated, rotated);
    keys.same("attention.key_length_swa", key, key);
    keys.same("attention.value_length_swa", value, value);
    int rank = keys.size(RANK, MAX_RANK);
    keys.optionalRange("attention.q_lora_rank", traits.queriesOfLowRank ? 1 : 0, MAX_RANK);
    int keyMla = traits.latentCache ? keys.optional(KEY_LENGTH + "_mla", 0, 0, MAX_HEAD_SIZE) : 0;
    int valueMla =
        traits.latentCache ? keys.optional(VALUE_LENGTH + "_mla", 0, 0, MAX_HEAD_SIZE) : 0;
    keys.require(
        (keyMla == 0) == (valueMla == 0),
        VALUE_LENGTH + "_mla",
        "a number, or neither this nor the one of keys",
        valueMla);
    boolean latent = keyMla != 0;
    int whole = latent ? keyMla : key;
    keys.require(whole > rotated, ROTATED, "less than the %d of keys".formatted(whole), rotated);
    int nKv = latent ? 1 : nHead;
    keys.require(nHeadKv == nKv, HEADS_KV, "" + nKv, nHeadKv);
    if (latent) {
      keys.require(key == rank + rotated, KEY_LENGTH, "" + (rank + rotated), key);
      keys.require(value == rank, VALUE_LENGTH, "" + rank, value);
    }
    long perBlock = (long) nKv * nLayer;
    return new AttentionBlocks(
        nKv,
        gcd(key, value),
        rotated,
        0,
        new Cache(perBlock * key, latent ? 0 : perBlock * value, false));
  }

  private static int gcd(int a, int b) {
    return b == 0 ? a : gcd(b, a % b);
  }
}
