package dev.ocellus.convert.model.base;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.MetadataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleConsumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * How a model generates where nobody says otherwise: {@code generation_config.json}, or in old
 * checkpoints the configuration of the language model. Keys of ours (docs/gguf.md).
 */
public final class GenerationKeys {
  private static final String PREFIX = "ocellus.generation.";

  private final GgufWriter out;
  private final ObjectNode generation;
  private final HfConfig text;

  private GenerationKeys(GgufWriter out, ObjectNode generation, HfConfig text) {
    this.out = out;
    this.generation = generation;
    this.text = text;
  }

  public static void write(GgufWriter out, Context context, HfConfig text) {
    try {
      new GenerationKeys(out, context.folder().json("generation_config.json"), text).write();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same, with a limit of answers for checkpoints that have none. */
  public static void write(GgufWriter out, Context context, HfConfig text, int maxNewTokens) {
    write(out, context, text);
    try {
      var keys = new GenerationKeys(out, context.folder().json("generation_config.json"), text);
      if (keys.find("max_new_tokens") == null && keys.find("max_length") == null) {
        out.u32(PREFIX + "max_new_tokens", maxNewTokens);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write() {
    long[] ends = ends();
    out.put(PREFIX + "eos_token_ids", GgufArray.ofIntegers(MetadataType.I64, ends));
    out.bool(PREFIX + "do_sample", flag("do_sample"));
    integer("num_beams", 1, n -> out.u32(PREFIX + "num_beams", n));
    integer("no_repeat_ngram_size", 0, n -> out.u32(PREFIX + "no_repeat_ngram_size", n));
    integer("min_length", 0, n -> out.u32(PREFIX + "min_length", n));
    integer("max_length", -1, n -> out.u32(PREFIX + "max_length", n));
    integer("min_new_tokens", -1, n -> out.u32(PREFIX + "min_new_tokens", n));
    integer("max_new_tokens", -1, n -> out.u32(PREFIX + "max_new_tokens", n));
    forced("forced_bos_token_id");
    forced("forced_eos_token_id");
    real("length_penalty", 1, x -> out.f32(PREFIX + "length_penalty", (float) x));
    real("repetition_penalty", 1, x -> out.f32(PREFIX + "repetition_penalty", (float) x));
    JsonNode early = find("early_stopping");
    if (early != null && !(early.isBoolean() && !early.asBoolean())) {
      out.string(PREFIX + "early_stopping", early.asText());
    }
  }

  /** The reference does not look for these in the configuration of a model. */
  private void forced(String key) {
    JsonNode node = generation.get(key);
    if (node != null && node.canConvertToInt() && node.intValue() >= 0) {
      out.u32(PREFIX + key, node.intValue());
    }
  }

  /** Those of the language model come first, as it generates by its own configuration. */
  private long[] ends() {
    JsonNode node = text.find("eos_token_id");
    node = node == null ? generation.get("eos_token_id") : node;
    List<Long> ids = new ArrayList<>();
    if (node != null && node.isArray()) {
      node.forEach(id -> ids.add(id.asLong()));
    } else if (node != null && node.isIntegralNumber()) {
      ids.add(node.asLong());
    }
    return ids.stream().mapToLong(Long::longValue).toArray();
  }

  private @Nullable JsonNode find(String key) {
    JsonNode node = generation.get(key);
    node = node == null || node.isNull() ? text.find(key) : node;
    return node == null || node.isNull() ? null : node;
  }

  private boolean flag(String key) {
    JsonNode node = find(key);
    return node != null && node.asBoolean(false);
  }

  private void integer(String key, int usual, IntConsumer write) {
    JsonNode node = find(key);
    if (node == null) {
      return;
    }
    if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
      throw text.invalid(key, "an integer from 0", node.toString());
    }
    if (node.intValue() != usual) {
      write.accept(node.intValue());
    }
  }

  private void real(String key, double usual, DoubleConsumer write) {
    JsonNode node = find(key);
    if (node == null) {
      return;
    }
    if (!node.isNumber() || !Double.isFinite(node.doubleValue())) {
      throw text.invalid(key, "a finite number", node.toString());
    }
    if (node.doubleValue() != usual) {
      write.accept(node.doubleValue());
    }
  }
}
