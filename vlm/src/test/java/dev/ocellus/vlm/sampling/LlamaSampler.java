package dev.ocellus.vlm.sampling;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.llama.Vocab;
import dev.ocellus.nativelib.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One of llama.cpp's own samplers, applied to Java arrays: what ours are compared with. */
final class LlamaSampler implements AutoCloseable {
  /** What is left of the candidates, in order. */
  static final class Outcome {
    final int[] tokens;
    final float[] logits;
    final int selected;

    Outcome(int[] tokens, float[] logits, int selected) {
      this.tokens = tokens;
      this.logits = logits;
      this.selected = selected;
    }
  }

  private static final int TOKEN_DATA_BYTES = 12; // id, logit, p
  private static final SymbolLookup LIBRARY = NativeLibraries.symbols();
  private static final MethodHandle APPLY = find("llama_sampler_apply", null, ADDRESS, ADDRESS);
  private static final MethodHandle ACCEPT = find("llama_sampler_accept", null, ADDRESS, JAVA_INT);
  private static final MethodHandle RESET = find("llama_sampler_reset", null, ADDRESS);
  private static final MethodHandle FREE = find("llama_sampler_free", null, ADDRESS);

  private final MemorySegment handle;

  private LlamaSampler(MemorySegment handle) {
    this.handle = handle;
  }

  static LlamaSampler greedy() {
    return make("llama_sampler_init_greedy", List.of());
  }

  static LlamaSampler dist(int seed) {
    return make("llama_sampler_init_dist", List.of(JAVA_INT), seed);
  }

  static LlamaSampler temp(float t) {
    return make("llama_sampler_init_temp", List.of(JAVA_FLOAT), t);
  }

  static LlamaSampler tempExt(float t, float delta, float exponent) {
    return make(
        "llama_sampler_init_temp_ext",
        List.of(JAVA_FLOAT, JAVA_FLOAT, JAVA_FLOAT),
        t,
        delta,
        exponent);
  }

  static LlamaSampler topK(int k) {
    return make("llama_sampler_init_top_k", List.of(JAVA_INT), k);
  }

  static LlamaSampler topP(float p, long minKeep) {
    return make("llama_sampler_init_top_p", List.of(JAVA_FLOAT, JAVA_LONG), p, minKeep);
  }

  static LlamaSampler minP(float p, long minKeep) {
    return make("llama_sampler_init_min_p", List.of(JAVA_FLOAT, JAVA_LONG), p, minKeep);
  }

  static LlamaSampler typical(float p, long minKeep) {
    return make("llama_sampler_init_typical", List.of(JAVA_FLOAT, JAVA_LONG), p, minKeep);
  }

  static LlamaSampler topNSigma(float n) {
    return make("llama_sampler_init_top_n_sigma", List.of(JAVA_FLOAT), n);
  }

  static LlamaSampler xtc(float p, float t, long minKeep, int seed) {
    return make(
        "llama_sampler_init_xtc",
        List.of(JAVA_FLOAT, JAVA_FLOAT, JAVA_LONG, JAVA_INT),
        p,
        t,
        minKeep,
        seed);
  }

  static LlamaSampler penalties(int nVocab, int lastN, float repeat, float freq, float present) {
    return make(
        "llama_sampler_init_penalties",
        List.of(JAVA_INT, JAVA_INT, JAVA_FLOAT, JAVA_FLOAT, JAVA_FLOAT),
        nVocab,
        lastN,
        repeat,
        freq,
        present);
  }

  /** DRY without breakers, as breakers would need a vocabulary. */
  static LlamaSampler dry(float multiplier, float base, int allowedLength, int lastN) {
    return make(
        "llama_sampler_init_dry",
        List.of(ADDRESS, JAVA_FLOAT, JAVA_FLOAT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_LONG),
        MemorySegment.NULL,
        multiplier,
        base,
        allowedLength,
        lastN,
        MemorySegment.NULL,
        0L);
  }

  static LlamaSampler mirostat(int nVocab, int seed, float tau, float eta, int m) {
    return make(
        "llama_sampler_init_mirostat",
        List.of(JAVA_INT, JAVA_INT, JAVA_FLOAT, JAVA_FLOAT, JAVA_INT),
        nVocab,
        seed,
        tau,
        eta,
        m);
  }

  static LlamaSampler mirostatV2(int seed, float tau, float eta) {
    return make(
        "llama_sampler_init_mirostat_v2",
        List.of(JAVA_INT, JAVA_FLOAT, JAVA_FLOAT),
        seed,
        tau,
        eta);
  }

  static LlamaSampler adaptiveP(float target, float decay, int seed) {
    return make(
        "llama_sampler_init_adaptive_p",
        List.of(JAVA_FLOAT, JAVA_FLOAT, JAVA_INT),
        target,
        decay,
        seed);
  }

  /** A grammar over a vocabulary, whose native handle only the bindings know. */
  static LlamaSampler grammar(Vocab vocab, String gbnf) {
    try (Arena arena = Arena.ofConfined()) {
      Field handle = Vocab.class.getDeclaredField("handle");
      handle.setAccessible(true);
      LlamaSampler sampler =
          make(
              "llama_sampler_init_grammar",
              List.of(ADDRESS, ADDRESS, ADDRESS),
              handle.get(vocab),
              arena.allocateFrom(gbnf),
              arena.allocateFrom("root"));
      if (sampler.handle.address() == 0) {
        throw new AssertionError("llama.cpp refuses the grammar " + gbnf);
      }
      return sampler;
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** The tokens that this sampler leaves a logit. */
  BitSet allowed(int nTokens) {
    Outcome outcome = apply(new float[nTokens]);
    BitSet allowed = new BitSet(nTokens);
    for (int i = 0; i < outcome.tokens.length; i++) {
      allowed.set(outcome.tokens[i], outcome.logits[i] != Float.NEGATIVE_INFINITY);
    }
    return allowed;
  }

  static LlamaSampler logitBias(int nVocab, Map<Integer, Float> bias) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment entries = arena.allocate(8L * Math.max(1, bias.size()), 4);
      long offset = 0;
      for (Map.Entry<Integer, Float> entry : bias.entrySet()) {
        entries.set(JAVA_INT, offset, entry.getKey());
        entries.set(JAVA_FLOAT, offset + 4, entry.getValue());
        offset += 8;
      }
      return make(
          "llama_sampler_init_logit_bias",
          List.of(JAVA_INT, JAVA_INT, ADDRESS),
          nVocab,
          bias.size(),
          entries);
    }
  }

  /** Applies this sampler to the logits of tokens 0, 1, 2 …, which stay as they are. */
  Outcome apply(float[] logits) {
    return apply(logits, List.of(this));
  }

  /** Applies samplers in turn, as llama.cpp's chain does. */
  static Outcome apply(float[] logits, List<LlamaSampler> samplers) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment data = arena.allocate((long) TOKEN_DATA_BYTES * logits.length, 4);
      for (int i = 0; i < logits.length; i++) {
        data.set(JAVA_INT, (long) TOKEN_DATA_BYTES * i, i);
        data.set(JAVA_FLOAT, (long) TOKEN_DATA_BYTES * i + 4, logits[i]);
      }
      MemorySegment array = arena.allocate(32, 8);
      array.set(ADDRESS, 0, data);
      array.set(JAVA_LONG, 8, logits.length);
      array.set(JAVA_LONG, 16, -1);
      array.set(JAVA_BYTE, 24, (byte) 0);
      for (LlamaSampler sampler : samplers) {
        sampler.applyTo(array);
      }
      int size = (int) array.get(JAVA_LONG, 8);
      MemorySegment left = array.get(ADDRESS, 0).reinterpret((long) TOKEN_DATA_BYTES * size);
      int[] tokens = new int[size];
      float[] leftLogits = new float[size];
      for (int i = 0; i < size; i++) {
        tokens[i] = left.get(JAVA_INT, (long) TOKEN_DATA_BYTES * i);
        leftLogits[i] = left.get(JAVA_FLOAT, (long) TOKEN_DATA_BYTES * i + 4);
      }
      return new Outcome(tokens, leftLogits, (int) array.get(JAVA_LONG, 16));
    }
  }

  private void applyTo(MemorySegment array) {
    try {
      APPLY.invokeExact(handle, array);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  void accept(int token) {
    try {
      ACCEPT.invokeExact(handle, token);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  void reset() {
    try {
      RESET.invokeExact(handle);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    try {
      FREE.invokeExact(handle);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static LlamaSampler make(String name, List<MemoryLayout> types, Object... arguments) {
    try {
      MethodHandle init = find(name, ADDRESS, types.toArray(MemoryLayout[]::new));
      return new LlamaSampler((MemorySegment) init.invokeWithArguments(Arrays.asList(arguments)));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static MethodHandle find(
      String name, @Nullable MemoryLayout result, MemoryLayout... types) {
    FunctionDescriptor descriptor =
        result == null ? FunctionDescriptor.ofVoid(types) : FunctionDescriptor.of(result, types);
    return Linker.nativeLinker().downcallHandle(LIBRARY.find(name).orElseThrow(), descriptor);
  }
}
