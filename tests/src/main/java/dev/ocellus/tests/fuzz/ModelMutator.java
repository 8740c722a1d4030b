package dev.ocellus.tests.fuzz;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import dev.ocellus.tests.TinyTextModel;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Writes a model anew with other contents: a well-formed GGUF file that is wrong in what it says,
 * or right and unusual.
 */
final class ModelMutator {
  private static final long MAX_BYTES = 1 << 24;

  /** Keys that most files lack and libllama reads. */
  private static final List<String> RARE_KEYS =
      List.of(
          "expert_count",
          "expert_used_count",
          "expert_group_count",
          "nextn_predict_layers",
          "attention.causal",
          "pooling_type",
          "attention.key_length",
          "attention.value_length",
          "attention.key_length_swa",
          "rope.dimension_count",
          "rope.dimension_count_swa",
          "rope.scaling.type",
          "rope.scaling.factor",
          "rope.scaling.original_context_length",
          "rope.dimension_sections",
          "attention.sliding_window",
          "rope.scaling.attn_factor",
          "attention.sliding_window_pattern",
          "vocab_size",
          "embedding_length_out",
          "attn_logit_softcapping",
          "final_logit_softcapping",
          "attention.scale",
          "attention.temperature_scale",
          "n_deepstack_layers",
          "feed_forward_length",
          "attention.head_count",
          "attention.head_count_kv",
          "rope.freq_base_swa",
          "rope.scaling.yarn_log_multiplier",
          "attention.clamp_kqv");

  private static final List<String> WORDS =
      List.of(
          "",
          "none",
          "linear",
          "yarn",
          "longrope",
          "llama",
          "gpt2",
          "t5",
          "bert",
          "rwkv",
          "plamo2",
          "no_vocab",
          "gemma4",
          "hybriddna",
          "whitespace",
          "default",
          "tekken",
          "gpt-4o",
          "qwen2",
          "deepseek-coder",
          "clip",
          "mamba",
          "qwen35",
          "phi-3",
          "\0",
          "▁",
          "\n",
          "<0x41>",
          " ");

  private record Tensor(TensorType type, long[] shape, byte[] data) {}

  private final Map<String, GgufValue> metadata;
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();
  private final RandomGenerator random;

  private ModelMutator(GgufFile file, RandomGenerator random) {
    this.random = random;
    metadata = new LinkedHashMap<>(file.metadata().asMap());
    for (GgufTensor t : file.tensors()) {
      long[] shape = t.shape().stream().mapToLong(Long::longValue).toArray();
      byte[] data = t.data().segment().toArray(ValueLayout.JAVA_BYTE);
      tensors.put(t.name(), new Tensor(t.type(), shape, data));
    }
  }

  /** Writes a changed copy of {@code base}. */
  static void mutate(Path base, Path to, RandomGenerator random) throws IOException {
    try (GgufFile file = GgufFile.open(base)) {
      ModelMutator model = new ModelMutator(file, random);
      for (int i = 1 + random.nextInt(3); i > 0; i--) {
        model.change();
      }
      model.write(to);
    }
  }

  private void change() {
    switch (random.nextInt(16)) {
      case 0, 1, 2, 3 -> changeValue(EdgeValues.one(List.copyOf(metadata.keySet()), random));
      case 4 -> metadata.remove(EdgeValues.one(List.copyOf(metadata.keySet()), random));
      case 5, 6 -> addKey();
      case 7 -> resize();
      case 8 -> changeTokens();
      case 9 -> changeSpecialToken();
      case 10 -> metadata.put("general.architecture", GgufString.of(otherArchitecture()));
      case 11 -> retype(EdgeValues.one(List.copyOf(tensors.keySet()), random));
      case 12 -> reshape(EdgeValues.one(List.copyOf(tensors.keySet()), random));
      case 13 -> poison(EdgeValues.one(List.copyOf(tensors.keySet()), random));
      case 14 -> renameTensor();
      default -> retypeAll();
    }
  }

  private void changeValue(String key) {
    GgufValue changed =
        switch (Objects.requireNonNull(metadata.get(key))) {
          case GgufValue.Int i -> integer(random.nextInt(6) == 0 ? anyType() : i.type(), i.value());
          case GgufValue.Real r -> new GgufValue.Real(r.type(), EdgeValues.real(random));
          case GgufValue.Bool b -> new GgufValue.Bool(!b.value());
          case GgufString s -> GgufString.of(EdgeValues.one(WORDS, random));
          case GgufArray a -> array(a);
        };
    if (random.nextInt(12) == 0) {
      changed = GgufString.of(EdgeValues.one(WORDS, random));
    }
    metadata.put(key, changed);
  }

  private MetadataType anyType() {
    return EdgeValues.one(
        Arrays.stream(MetadataType.values()).filter(MetadataType::isInteger).toList(), random);
  }

  private GgufValue integer(MetadataType type, long old) {
    long v = EdgeValues.integer(old, random);
    return new GgufValue.Int(
        type,
        switch (type) {
          case U8 -> v & 0xff;
          case I8 -> (byte) v;
          case U16 -> v & 0xffff;
          case I16 -> (short) v;
          case U32 -> v & 0xffff_ffffL;
          case I32 -> (int) v;
          default -> v;
        });
  }

  private GgufValue array(GgufArray a) {
    int n = a.length();
    int length =
        random.nextInt(3) == 0
            ? (int) Math.max(0, Math.min(1000, EdgeValues.integer(n, random)))
            : n;
    if (a.elementType() == MetadataType.STRING) {
      List<byte[]> texts = new ArrayList<>(a.stringBytes());
      while (texts.size() > length) {
        texts.removeLast();
      }
      while (texts.size() < length) {
        texts.add(("x" + texts.size()).getBytes(StandardCharsets.UTF_8));
      }
      if (length > 0) {
        texts.set(
            random.nextInt(length), EdgeValues.one(WORDS, random).getBytes(StandardCharsets.UTF_8));
      }
      return GgufArray.ofBytes(texts);
    }
    if (a.elementType().isFloat()) {
      float[] values = Arrays.copyOf(a.floats(), length);
      if (length > 0) {
        values[random.nextInt(length)] = EdgeValues.real(random);
      }
      return GgufArray.ofFloats(values);
    }
    if (a.elementType().isInteger()) {
      long[] values = Arrays.copyOf(a.longs(), length);
      if (length > 0) {
        int i = random.nextInt(length);
        values[i] = ((GgufValue.Int) integer(a.elementType(), values[i])).value();
      }
      return GgufArray.ofIntegers(a.elementType(), values);
    }
    return a;
  }

  private void addKey() {
    String prefix =
        metadata.get("general.architecture") instanceof GgufString s ? s.value() : "llama";
    String key = prefix + "." + EdgeValues.one(RARE_KEYS, random);
    metadata.put(
        key,
        switch (random.nextInt(6)) {
          case 0 -> new GgufValue.Real(MetadataType.F32, EdgeValues.real(random));
          case 1 -> new GgufValue.Bool(random.nextBoolean());
          case 2 -> GgufString.of(EdgeValues.one(WORDS, random));
          case 3 -> {
            long[] values = new long[random.nextInt(1, 6)];
            Arrays.setAll(values, i -> random.nextInt(-1, 40));
            yield GgufArray.ofIntegers(MetadataType.I32, values);
          }
          default -> integer(MetadataType.U32, 1);
        });
  }

  /** Makes a size another one everywhere, which often gives a model that is in order. */
  private void resize() {
    long from = EdgeValues.one(List.copyOf(tensors.values()), random).shape[0];
    long to =
        random.nextInt(4) == 0
            ? Math.max(1, EdgeValues.integer(from, random))
            : random.nextInt(1, 130);
    metadata.replaceAll((key, v) ->
        v instanceof GgufValue.Int i && i.value() == from && to < 128
            ? new GgufValue.Int(i.type(), to)
            : v);
    tensors.replaceAll((name, t) -> {
      long[] shape = Arrays.stream(t.shape).map(d -> d == from ? to : d).toArray();
      return Arrays.equals(shape, t.shape) ? t : filled(t.type, shape, t);
    });
  }

  private void changeTokens() {
    if (!(metadata.get("tokenizer.ggml.tokens") instanceof GgufArray a)
        || a.elementType() != MetadataType.STRING
        || a.length() == 0) {
      return;
    }
    List<byte[]> texts = new ArrayList<>(a.stringBytes());
    int i = random.nextInt(texts.size());
    byte[] text =
        switch (random.nextInt(6)) {
          case 0 -> new byte[0];
          case 1 -> texts.get(random.nextInt(texts.size()));
          case 2 -> EdgeValues.one(WORDS, random).getBytes(StandardCharsets.UTF_8);
          case 3 -> "long".repeat(1 << random.nextInt(12)).getBytes(StandardCharsets.UTF_8);
          case 4 -> {
            byte[] b = new byte[random.nextInt(1, 20)];
            ((SplittableRandom) random).nextBytes(b);
            yield b;
          }
          default ->
              ("[EMPTY_" + random.nextInt(texts.size()) + "]").getBytes(StandardCharsets.UTF_8);
        };
    texts.set(i, text);
    metadata.put("tokenizer.ggml.tokens", GgufArray.ofBytes(texts));
  }

  private void changeSpecialToken() {
    String name =
        EdgeValues.one(
            List.of(
                "bos", "eos", "eot", "eom", "unknown", "padding", "seperator", "mask", "fim_pre"),
            random);
    metadata.put("tokenizer.ggml." + name + "_token_id", integer(MetadataType.U32, 260));
    if (random.nextBoolean()) {
      String flag =
          EdgeValues.one(List.of("add_bos_token", "add_eos_token", "add_space_prefix"), random);
      metadata.put("tokenizer.ggml." + flag, new GgufValue.Bool(random.nextBoolean()));
    }
  }

  /** Mostly with the keys that go with it, so that it gets further than the first look. */
  private String otherArchitecture() {
    String other =
        random.nextInt(4) == 0
            ? EdgeValues.one(WORDS, random)
            : EdgeValues.one(TinyTextModel.ARCHITECTURES, random);
    if (metadata.get("general.architecture") instanceof GgufString s && !s.value().isEmpty()) {
      String old = s.value() + ".";
      Map<String, GgufValue> renamed = new LinkedHashMap<>();
      metadata.forEach((k, v) -> {
        if (k.startsWith(old)) {
          renamed.put(other + "." + k.substring(old.length()), v);
        }
      });
      metadata.putAll(renamed);
    }
    return other;
  }

  private void retype(String name) {
    Tensor t = Objects.requireNonNull(tensors.get(name));
    TensorType type = EdgeValues.one(List.of(TensorType.values()), random);
    if (t.shape[0] % type.blockSize() == 0) {
      tensors.put(name, filled(type, t.shape, t));
    }
  }

  /** A whole model of another type, where the rows allow it. */
  private void retypeAll() {
    TensorType type = EdgeValues.one(List.of(TensorType.values()), random);
    tensors.replaceAll((name, t) ->
        t.shape.length > 1 && t.shape[0] % type.blockSize() == 0 ? filled(type, t.shape, t) : t);
  }

  private void reshape(String name) {
    Tensor t = Objects.requireNonNull(tensors.get(name));
    long[] shape = t.shape.clone();
    switch (random.nextInt(4)) {
      case 0 -> {
        long first = shape[0];
        shape[0] = shape[shape.length - 1];
        shape[shape.length - 1] = first;
      }
      case 1 -> shape[random.nextInt(shape.length)] = random.nextInt(1, 300);
      case 2 -> shape = Arrays.copyOf(shape, Math.min(4, shape.length + 1));
      default -> shape = Arrays.copyOf(shape, Math.max(1, shape.length - 1));
    }
    for (int i = 0; i < shape.length; i++) {
      shape[i] = Math.max(1, shape[i]);
    }
    tensors.put(name, filled(t.type, shape, t));
  }

  /** Other contents: not-a-number, infinities, huge values, or anything at all. */
  private void poison(String name) {
    Tensor t = Objects.requireNonNull(tensors.get(name));
    byte[] data = t.data.clone();
    if (t.type == TensorType.F32) {
      int bits = Float.floatToRawIntBits(EdgeValues.real(random));
      for (int i = 0; i + 3 < data.length; i += 4) {
        if (random.nextInt(4) == 0) {
          MemorySegment.ofArray(data).set(ValueLayout.JAVA_INT_UNALIGNED, i, bits);
        }
      }
    } else {
      ((SplittableRandom) random).nextBytes(data);
    }
    tensors.put(name, new Tensor(t.type, t.shape, data));
  }

  private void renameTensor() {
    String name = EdgeValues.one(List.copyOf(tensors.keySet()), random);
    Tensor t = Objects.requireNonNull(tensors.get(name));
    switch (random.nextInt(3)) {
      case 0 -> tensors.remove(name);
      case 1 -> tensors.put(name + ".x", t);
      default ->
          tensors.put(
              EdgeValues.one(
                  List.of(
                      "output.weight",
                      "rope_freqs.weight",
                      "rope_factors_long.weight",
                      "rope_factors_short.weight",
                      "blk.0.attn_q.bias",
                      "blk.0.attn_q.scale",
                      "blk.1.ffn_up.input_scale",
                      "blk.0.attn_output.bias",
                      "cls.output.weight",
                      "blk.0.attn_qkv.weight",
                      "output.bias",
                      "blk.2.attn_norm.weight"),
                  random),
              filled(
                  TensorType.F32,
                  new long[] {Math.max(1, t.shape[0] / (1 + random.nextInt(8)))},
                  t));
    }
  }

  /** Bytes of the old tensor, again and again. */
  private static Tensor filled(TensorType type, long[] shape, Tensor old) {
    long size;
    try {
      size = shape[0] % type.blockSize() == 0 ? type.bytes(shape) : MAX_BYTES + 1;
    } catch (ArithmeticException e) {
      return old;
    }
    if (size > MAX_BYTES || size == 0 || old.data.length == 0) {
      return old;
    }
    byte[] data = new byte[(int) size];
    for (int at = 0; at < data.length; at += old.data.length) {
      System.arraycopy(old.data, 0, data, at, Math.min(old.data.length, data.length - at));
    }
    return new Tensor(type, shape, data);
  }

  private void write(Path to) throws IOException {
    GgufWriter out = new GgufWriter();
    metadata.forEach((key, value) -> {
      if (!key.equals("general.alignment") && key.indexOf(0) < 0) {
        out.put(key, value);
      }
    });
    tensors.forEach(
        (name, t) -> out.tensor(name, t.type, new Memory(MemorySegment.ofArray(t.data)), t.shape));
    out.write(to);
  }
}
