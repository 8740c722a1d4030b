package dev.ocellus.llama;

import static dev.ocellus.llama.AttentionBlocks.HEADS;
import static dev.ocellus.llama.AttentionBlocks.HEADS_KV;
import static dev.ocellus.llama.AttentionBlocks.MAX_HEADS;

import dev.ocellus.llama.ArchitectureTraits.Window;
import dev.ocellus.llama.Hyperparameters.Cache;
import java.util.Arrays;
import java.util.function.IntConsumer;
import java.util.function.IntFunction;

/**
 * Heads of models with recurrent blocks: state spaces (Mamba 2), linear attention (gated delta
 * nets) or short convolutions. libllama takes both a cache and recurrent states to have blocks, and
 * asserts that they are computed.
 *
 * <p>Source: {@code src/llama-hparams.cpp}, {@code src/models/delta-net-base.cpp}, {@code
 * mamba-base.cpp}, {@code lfm2.cpp}, {@code granite-hybrid.cpp}, {@code falcon-h1.cpp} and {@code
 * qwen35.cpp} of llama.cpp v0.4.0.
 */
final class HybridBlocks {
  private static final int MAX_KERNEL = 1 << 10;
  private static final int MAX_STATE = 1 << 14;
  private static final int MAX_INNER = 1 << 20;
  private static final String GROUPS = "ssm.group_count";
  private static final String INNER = "ssm.inner_size";
  private static final String RANK = "ssm.time_step_rank";
  private static final String INTERVAL = "full_attention_interval";
  private static final String WINDOW = "attention.sliding_window";
  private static final String RECURRENT = "attention.recurrent_layers";

  private HybridBlocks() {}

  /** Sizes of a state space or of linear attention. */
  private record StateSpace(int kernel, int inner, int state, int rank, int groups) {
    static StateSpace read(ModelKeys keys) {
      var s =
          new StateSpace(
              keys.required("ssm.conv_kernel", 2, MAX_KERNEL),
              keys.size(INNER, MAX_INNER),
              keys.size("ssm.state_size", MAX_STATE),
              keys.size(RANK, MAX_HEADS),
              keys.size(GROUPS, MAX_HEADS));
      keys.require(
          s.inner % s.rank == 0, INNER, "a multiple of the %d heads".formatted(s.rank), s.inner);
      keys.require(
          s.inner % s.groups == 0, INNER, "a multiple of %d groups".formatted(s.groups), s.inner);
      keys.require(
          s.rank % s.groups == 0, GROUPS, "a divisor of the %d heads".formatted(s.rank), s.groups);
      return s;
    }

    long convolved() {
      return inner + 2L * groups * state;
    }

    /** States of so many of the blocks. */
    RecurrentStates states(int nLayer, int nRecurrent) {
      long space = (long) state * inner;
      return new RecurrentStates(nLayer, nRecurrent, (kernel - 1) * convolved(), space);
    }
  }

  /** LFM2: a block without key heads is a short convolution. */
  static AttentionBlocks shortConvolutions(
      ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd) {
    int width = keys.required("shortconv.l_cache", 2, MAX_KERNEL);
    long convolution = (width - 1L) * nEmbd;
    return byKeyHeads(
        keys, traits, nLayer, nEmbd, n -> new RecurrentStates(nLayer, n, convolution, 0), i -> {});
  }

  /** Granite 4: a block without key heads is a state space, whose bias the graph adds always. */
  static AttentionBlocks stateSpaces(
      ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd) {
    StateSpace space = StateSpace.read(keys);
    keys.require(
        space.inner == 2L * nEmbd,
        INNER,
        "%d, twice embedding_length".formatted(2L * nEmbd),
        space.inner);
    return byKeyHeads(
        keys, traits, nLayer, nEmbd, n -> space.states(nLayer, n), i -> requireBias(keys, i));
  }

  private static void requireBias(ModelKeys keys, int layer) {
    keys.requireTensor("blk.%d.ssm_conv1d.bias".formatted(layer));
  }

  private static AttentionBlocks byKeyHeads(
      ModelKeys keys,
      ArchitectureTraits traits,
      int nLayer,
      int nEmbd,
      IntFunction<RecurrentStates> states,
      IntConsumer recurrentBlock) {
    int nHead = keys.uniform(HEADS, nLayer, 1, MAX_HEADS);
    long[] nHeadKv = keys.each(HEADS_KV, nLayer, 0, nHead);
    boolean[] recurrent = new boolean[nLayer];
    for (int i = 0; i < nLayer; i++) {
      recurrent[i] = nHeadKv[i] == 0;
      if (recurrent[i]) {
        recurrentBlock.accept(i);
      } else {
        AttentionBlocks.requireDivisor(keys, nHead, nHeadKv[i]);
      }
    }
    requireBoth(keys, HEADS_KV, recurrent);
    int size = AttentionBlocks.headSize(keys, traits, nEmbd, nHead);
    long elements = size * Arrays.stream(nHeadKv).sum();
    int first = (int) nHeadKv[firstOther(recurrent)];
    boolean alike = Arrays.stream(nHeadKv).allMatch(n -> n == 0 || n == first);
    return blocks(keys, traits, size, first, elements, states.apply(count(recurrent)), alike);
  }

  /** Qwen3.5: one of every so many blocks attends, or those that are listed do not. */
  static AttentionBlocks byInterval(
      ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd) {
    StateSpace space = StateSpace.read(keys);
    keys.require(
        space.inner == (long) space.state * space.rank,
        INNER,
        "%d heads of ssm.state_size".formatted(space.rank),
        space.inner);
    int nHead = keys.uniform(HEADS, nLayer, 1, MAX_HEADS);
    int nHeadKv = keys.has(HEADS_KV) ? keys.uniform(HEADS_KV, nLayer, 1, MAX_HEADS) : nHead;
    AttentionBlocks.requireDivisor(keys, nHead, nHeadKv);
    boolean[] recurrent = recurrent(keys, nLayer);
    for (int i = 0; i < recurrent.length; i++) {
      // the loader takes other names for these, and does without some; the graph does not
      String[] names =
          recurrent[i]
              ? new String[] {"attn_qkv", "attn_gate"}
              : new String[] {"attn_q", "attn_k", "attn_v"};
      for (String name : names) {
        keys.requireTensor("blk.%d.%s.weight".formatted(i, name));
      }
    }
    int size = AttentionBlocks.headSize(keys, traits, nEmbd, nHead);
    int nAttending = recurrent.length - count(recurrent);
    return blocks(
        keys,
        traits,
        size,
        nHeadKv,
        (long) size * nHeadKv * nAttending,
        space.states(recurrent.length, count(recurrent)),
        true);
  }

  private static boolean[] recurrent(ModelKeys keys, int nLayer) {
    int nTrunk = nLayer - keys.optional("nextn_predict_layers", 0);
    boolean[] recurrent = new boolean[nTrunk];
    if (keys.has(RECURRENT)) {
      boolean[] given = keys.metadata().bools(keys.key(RECURRENT));
      keys.require(given.length == nLayer, RECURRENT, nLayer + " of them", given.length);
      System.arraycopy(given, 0, recurrent, 0, nTrunk);
      requireBoth(keys, RECURRENT, recurrent);
      return recurrent;
    }
    int every = keys.optional(INTERVAL, 4, 1, Integer.MAX_VALUE);
    for (int i = 0; i < nTrunk; i++) {
      recurrent[i] = (i + 1) % every != 0;
    }
    requireBoth(keys, INTERVAL, recurrent);
    return recurrent;
  }

  /** Falcon H1: every block has both. */
  static AttentionBlocks sideBySide(
      ModelKeys keys, ArchitectureTraits traits, int nLayer, int nEmbd) {
    StateSpace space = StateSpace.read(keys);
    AttentionBlocks alike = AttentionBlocks.alike(keys, traits, nLayer, nEmbd);
    for (int i = 0; i < nLayer; i++) {
      requireBias(keys, i);
    }
    Cache c = alike.cache();
    return new AttentionBlocks(
        alike.nHeadKv(),
        alike.headSize(),
        alike.rotated(),
        0,
        new Cache(c.keys(), c.values(), space.states(nLayer, nLayer), c.saved()));
  }

  private static AttentionBlocks blocks(
      ModelKeys keys,
      ArchitectureTraits traits,
      int headSize,
      int nHeadKv,
      long elements,
      RecurrentStates states,
      boolean alike) {
    // windows make another memory, whose checkpoints hold a part of its keys and values as well
    boolean windows = traits.window != Window.NONE && keys.optional(WINDOW, 0) > 0;
    return new AttentionBlocks(
        nHeadKv,
        headSize,
        AttentionBlocks.rotated(keys, traits, headSize),
        0,
        new Cache(elements, elements, states, alike && !windows));
  }

  private static void requireBoth(ModelKeys keys, String name, boolean[] recurrent) {
    int n = count(recurrent);
    keys.require(
        n > 0 && n < recurrent.length,
        name,
        "blocks that attend and recurrent ones",
        "%d recurrent ones of %d".formatted(n, recurrent.length));
  }

  private static int count(boolean[] values) {
    int n = 0;
    for (boolean v : values) {
      n += v ? 1 : 0;
    }
    return n;
  }

  private static int firstOther(boolean[] recurrent) {
    int i = 0;
    while (recurrent[i]) {
      i++;
    }
    return i;
  }
}
