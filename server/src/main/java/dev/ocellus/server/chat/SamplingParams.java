package dev.ocellus.server.chat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.Params;
import dev.ocellus.vlm.sampling.SamplerKind;
import dev.ocellus.vlm.sampling.SamplingOptionsBuilder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.IntConsumer;

/**
 * Reads how tokens are chosen: OpenAI's names, and llama-server's for the rest. Remembers whether a
 * request said anything at all.
 */
final class SamplingParams {
  private static final int MAX_BREAKERS = 64;
  private static final float FORBIDDEN = Float.NEGATIVE_INFINITY;

  private final SamplingOptionsBuilder to;
  private boolean found;

  SamplingParams(SamplingOptionsBuilder to) {
    this.to = to;
  }

  /** Whether a request said something. */
  boolean found() {
    return found;
  }

  private void number(Params p, String key, double min, double max, DoubleConsumer set) {
    p.number(key, min, max)
        .ifPresent(value -> {
          found = true;
          set.accept(value);
        });
  }

  private void integer(Params p, String key, int min, int max, IntConsumer set) {
    p.integer(key, min, max)
        .ifPresent(value -> {
          found = true;
          set.accept(value);
        });
  }

  /** Reads all but the seed and the bias. */
  void read(Params p) {
    number(p, "temperature", 0, 100, v -> to.temperature((float) v));
    number(p, "dynatemp_range", 0, 100, v -> to.dynatempRange((float) v));
    number(p, "dynatemp_exponent", 0, 100, v -> to.dynatempExponent((float) v));
    integer(p, "top_k", -1, 1_000_000, to::topK);
    number(p, "top_p", 0, 1, v -> to.topP((float) v));
    number(p, "min_p", 0, 1, v -> to.minP((float) v));
    number(p, "top_n_sigma", -1, 1000, v -> to.topNSigma((float) v));
    number(p, "typical_p", 0, 1, v -> to.typicalP((float) v));
    number(p, "xtc_probability", 0, 1, v -> to.xtcProbability((float) v));
    number(p, "xtc_threshold", 0, 1, v -> to.xtcThreshold((float) v));
    integer(p, "min_keep", 0, 1_000_000, v -> to.minKeep(Math.max(1, v)));
    number(p, "repeat_penalty", 0.01, 100, v -> to.repeatPenalty((float) v));
    integer(p, "repeat_last_n", -1, 100_000, to::penaltyLastN);
    number(p, "frequency_penalty", -10, 10, v -> to.frequencyPenalty((float) v));
    number(p, "presence_penalty", -10, 10, v -> to.presencePenalty((float) v));
    dry(p);
    integer(p, "mirostat", 0, 2, to::mirostat);
    number(p, "mirostat_tau", 0, 1000, v -> to.mirostatTau((float) v));
    number(p, "mirostat_eta", 0, 1000, v -> to.mirostatEta((float) v));
    number(p, "adaptive_target", -1, 1, v -> to.adaptiveTarget((float) v));
    number(p, "adaptive_decay", 0, 0.99, v -> to.adaptiveDecay((float) v));
    samplers(p);
  }

  private void dry(Params p) {
    number(p, "dry_multiplier", 0, 1000, v -> to.dryMultiplier((float) v));
    number(p, "dry_base", 0, 1000, v -> to.dryBase((float) v));
    integer(p, "dry_allowed_length", 0, 100_000, to::dryAllowedLength);
    integer(p, "dry_penalty_last_n", -1, 100_000, to::dryPenaltyLastN);
    if (p.has("dry_sequence_breakers")) {
      found = true;
      to.drySequenceBreakers(p.texts("dry_sequence_breakers", MAX_BREAKERS));
    }
  }

  private void samplers(Params p) {
    List<String> names = p.texts("samplers", SamplerKind.values().length);
    if (p.has("samplers")) {
      found = true;
      to.samplers(SamplerKind.parseList(String.join(";", names)));
    }
  }

  /**
   * Reads what is added to the logits of tokens: OpenAI's object of tokens and numbers, or
   * llama-server's list of pairs, where false forbids a token.
   */
  void logitBias(Params p, int nTokens) {
    JsonNode given = p.find("logit_bias");
    if (given == null) {
      return;
    }
    Map<Integer, Float> bias = new HashMap<>();
    if (given.isArray()) {
      for (JsonNode pair : given) {
        bias.put(token(p, pair.path(0), nTokens), bias(p, pair));
      }
    } else {
      Params object = p.object("logit_bias").orElseThrow();
      object
          .node()
          .fieldNames()
          .forEachRemaining(key ->
              bias.put(
                  token(object, key, nTokens), (float) object.number(key, -100, 100).orElse(0)));
    }
    found = true;
    to.logitBias(bias);
  }

  private static float bias(Params p, JsonNode pair) {
    JsonNode add = pair.path(1);
    if (pair.size() == 2 && add.isBoolean() && !add.booleanValue()) {
      return FORBIDDEN;
    }
    double value = add.isNumber() ? add.doubleValue() : Double.NaN;
    if (pair.size() != 2 || !Double.isFinite(value)) {
      throw p.expected("logit_bias", "pairs of a token and a number or false", pair);
    }
    return (float) value;
  }

  private static int token(Params p, JsonNode id, int nTokens) {
    if (!id.isInt() || id.intValue() < 0 || id.intValue() >= nTokens) {
      throw p.expected("logit_bias", "tokens from 0 to " + (nTokens - 1), id);
    }
    return id.intValue();
  }

  private static int token(Params bias, String key, int nTokens) {
    try {
      int token = Integer.parseInt(key);
      if (token >= 0 && token < nTokens) {
        return token;
      }
    } catch (NumberFormatException e) { // the same as one that is out of range
    }
    throw ApiException.invalid(
        "logit_bias",
        "logit_bias: expected tokens from 0 to %d as names, found '%s'"
            .formatted(nTokens - 1, bias.name(key)));
  }
}
