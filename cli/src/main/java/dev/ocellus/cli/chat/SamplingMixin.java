package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.Range;
import dev.ocellus.vlm.sampling.SamplerKind;
import dev.ocellus.vlm.sampling.SamplingOptions;
import dev.ocellus.vlm.sampling.SamplingOptionsBuilder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How tokens are chosen: llama.cpp's options with its meanings and defaults. */
final class SamplingMixin {
  private static final Pattern BIAS = Pattern.compile("(\\d+)([+-])(.+)");

  @Option(
      names = {"-s", "--seed"},
      paramLabel = "N",
      description = "Seed; -1 for a random one. Default: -1.")
  @Range(min = -1, max = 0xFFFF_FFFFL)
  @Nullable Long seed;

  @Option(
      names = {"--temp", "--temperature"},
      paramLabel = "X",
      description = "Temperature; 0 or less for greedy decoding.")
  @Range
  @Nullable Float temperature;

  @Option(
      names = "--top-k",
      paramLabel = "N",
      description = "Top-k sampling: keep the N likeliest tokens; 0 or less: all.")
  @Range
  @Nullable Integer topK;

  @Option(names = "--top-p", paramLabel = "X", description = "Top-p (nucleus) sampling; 1: off.")
  @Range(min = 0)
  @Nullable Float topP;

  @Option(
      names = "--min-p",
      paramLabel = "X",
      description =
          "Min-p sampling: min. probability, as a share of the likeliest token's; 0: off.")
  @Range(min = 0, max = 1)
  @Nullable Float minP;

  @Option(
      names = {"--typical", "--typical-p"},
      paramLabel = "X",
      description = "Locally typical sampling; 1: off.")
  @Range(min = 0)
  @Nullable Float typical;

  @Option(
      names = {"--top-nsigma", "--top-n-sigma"},
      paramLabel = "X",
      description =
          "Top-n-sigma sampling: standard deviations below the max. logit; 0 or less: off.")
  @Range
  @Nullable Float topNSigma;

  @Option(
      names = "--xtc-probability",
      paramLabel = "X",
      description = "XTC sampling: probability of removing tokens; 0: off.")
  @Range(min = 0, max = 1)
  @Nullable Float xtcProbability;

  @Option(
      names = "--xtc-threshold",
      paramLabel = "X",
      description = "XTC sampling: min. probability of removed tokens; over 0.5: off.")
  @Range(min = 0, max = 1)
  @Nullable Float xtcThreshold;

  @Option(
      names = "--repeat-last-n",
      paramLabel = "N",
      description = "Number of last tokens that penalties consider; 0: off.")
  @Range(min = 0)
  @Nullable Integer repeatLastN;

  @Option(names = "--repeat-penalty", paramLabel = "X", description = "Repetition penalty; 1: off.")
  @Range(above = 0)
  @Nullable Float repeatPenalty;

  @Option(names = "--presence-penalty", paramLabel = "X", description = "Presence penalty; 0: off.")
  @Range
  @Nullable Float presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      description = "Frequency penalty; 0: off.")
  @Range
  @Nullable Float frequencyPenalty;

  @Option(
      names = "--dry-multiplier",
      paramLabel = "X",
      description = "DRY sampling multiplier; 0: off.")
  @Range(min = 0)
  @Nullable Float dryMultiplier;

  @Option(names = "--dry-base", paramLabel = "X", description = "DRY sampling base.")
  @Range(min = 0)
  @Nullable Float dryBase;

  @Option(
      names = "--dry-allowed-length",
      paramLabel = "N",
      description = "DRY sampling: repeated tokens allowed without penalty.")
  @Range(min = 0)
  @Nullable Integer dryAllowedLength;

  @Option(
      names = "--dry-penalty-last-n",
      paramLabel = "N",
      description = "DRY sampling: number of last tokens searched for repetitions; 0: off.")
  @Range(min = 0)
  @Nullable Integer dryPenaltyLastN;

  @Option(
      names = "--dry-sequence-breaker",
      paramLabel = "TEXT",
      description =
          "DRY sampling: text that ends a repetition; repeatable, replaces the defaults; none for no breaker.")
  @Nullable List<String> dryBreakers;

  @Option(
      names = "--dynatemp-range",
      paramLabel = "X",
      description = "Dynamic temperature; 0: off.")
  @Range(min = 0)
  @Nullable Float dynatempRange;

  @Option(names = "--dynatemp-exp", paramLabel = "X", description = "Dynamic temperature exponent.")
  @Range
  @Nullable Float dynatempExponent;

  @Option(names = "--mirostat", paramLabel = "N", description = "Mirostat 1 or 2; 0: off.")
  @Range(min = 0, max = 2)
  @Nullable Integer mirostat;

  @Option(names = "--mirostat-ent", paramLabel = "X", description = "Mirostat target (tau).")
  @Range(min = 0)
  @Nullable Float mirostatTau;

  @Option(names = "--mirostat-lr", paramLabel = "X", description = "Mirostat rate (eta).")
  @Range(min = 0)
  @Nullable Float mirostatEta;

  @Option(
      names = "--adaptive-target",
      paramLabel = "X",
      description = "Adaptive-p target probability; negative: off.")
  @Range(max = 1)
  @Nullable Float adaptiveTarget;

  @Option(
      names = "--adaptive-decay",
      paramLabel = "X",
      description = "Adaptive-p decay of the moving average.")
  @Range(min = 0, max = 0.99)
  @Nullable Float adaptiveDecay;

  @Option(
      names = {"-l", "--logit-bias"},
      paramLabel = "ID(+|-)X",
      description = "Bias of a token, such as 42-inf to forbid it; repeatable.")
  List<String> logitBias = new ArrayList<>();

  @Option(
      names = "--samplers",
      paramLabel = "LIST",
      description = "Order of samplers, separated by semicolons.")
  @Nullable String samplers;

  /** The options on top of others. */
  SamplingOptions apply(SamplingOptions base) {
    SamplingOptionsBuilder b = base.toBuilder();
    set(temperature, b::temperature);
    set(topK, b::topK);
    set(topP, b::topP);
    set(minP, b::minP);
    set(typical, b::typicalP);
    set(topNSigma, b::topNSigma);
    set(xtcProbability, b::xtcProbability);
    set(xtcThreshold, b::xtcThreshold);
    set(repeatLastN, b::penaltyLastN);
    set(repeatPenalty, b::repeatPenalty);
    set(presencePenalty, b::presencePenalty);
    set(frequencyPenalty, b::frequencyPenalty);
    set(dryMultiplier, b::dryMultiplier);
    set(dryBase, b::dryBase);
    set(dryAllowedLength, b::dryAllowedLength);
    set(dryPenaltyLastN, b::dryPenaltyLastN);
    set(dryBreakers, list -> b.drySequenceBreakers(list.contains("none") ? List.of() : list));
    set(dynatempRange, b::dynatempRange);
    set(dynatempExponent, b::dynatempExponent);
    set(mirostat, b::mirostat);
    set(mirostatTau, b::mirostatTau);
    set(mirostatEta, b::mirostatEta);
    set(adaptiveTarget, b::adaptiveTarget);
    set(adaptiveDecay, b::adaptiveDecay);
    set(samplers, list -> b.samplers(SamplerKind.parseList(list)));
    if (!logitBias.isEmpty()) {
      b.logitBias(biases());
    }
    set(seed, b::seed);
    return b.build();
  }

  /** Whether somebody said how tokens are chosen. */
  boolean given() {
    return isRandom()
        || temperature != null
        || repeatPenalty != null
        || presencePenalty != null
        || frequencyPenalty != null
        || dryMultiplier != null;
  }

  /** Whether somebody asked for what only sampling can do. */
  boolean isRandom() {
    return (temperature != null && temperature > 0)
        || topK != null
        || topP != null
        || minP != null
        || typical != null
        || topNSigma != null
        || xtcProbability != null
        || mirostat != null
        || adaptiveTarget != null
        || samplers != null;
  }

  /** Draws the seed where it is to be random, so that it can be told. */
  static SamplingOptions withDrawnSeed(SamplingOptions options) {
    return options.seed() != -1
        ? options
        : options.toBuilder().seed(ThreadLocalRandom.current().nextLong(1L << 32)).build();
  }

  private static <T> void set(@Nullable T value, Consumer<T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }

  private Map<Integer, Float> biases() {
    Map<Integer, Float> biases = new HashMap<>();
    for (String text : logitBias) {
      Matcher m = BIAS.matcher(text);
      try {
        if (m.matches()) {
          String amount = m.group(3).equals("inf") ? "Infinity" : m.group(3);
          float value = Float.parseFloat(amount);
          biases.put(Integer.parseInt(m.group(1)), m.group(2).equals("-") ? -value : value);
          continue;
        }
      } catch (NumberFormatException e) {
        // refused below, with the text as it was given
      }
      throw new IllegalArgumentException(
          "logit bias (-l): expected a token id, + or -, and a number, such as 15043-1.5; found '%s'"
              .formatted(text));
    }
    return biases;
  }
}
