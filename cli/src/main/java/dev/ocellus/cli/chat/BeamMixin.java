package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.Range;
import dev.ocellus.vlm.sampling.BeamOptions;
import dev.ocellus.vlm.sampling.BeamOptions.EarlyStopping;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Beam search, with the names of transformers' options. */
final class BeamMixin {
  @Option(
      names = {"--beams", "--num-beams"},
      paramLabel = "N",
      description =
          "Beam search: follow N answers at once and give the likeliest, instead of sampling; 0: no search. Default: as the model's checkpoint says, else 0.")
  @Range(min = 0, max = BeamOptions.MAX_BEAMS)
  @Nullable Integer beams;

  @Option(
      names = "--length-penalty",
      paramLabel = "X",
      description =
          "With --beams: exponent of the length that divides the score of an answer; above 0 for longer ones. Default: 1.")
  @Range
  @Nullable Double lengthPenalty;

  @Option(
      names = "--early-stopping",
      paramLabel = "true|false|never",
      description =
          "With --beams: end when there are N answers, when no other is likely to be better, or when none can be. Default: false.")
  @Nullable String earlyStopping;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      description =
          "With --beams: how much less likely tokens are that occurred, in the prompt too; 1: off.")
  @Range(above = 0)
  @Nullable Float repetitionPenalty;

  @Option(
      names = "--no-repeat-ngram-size",
      paramLabel = "N",
      description = "With --beams: no sequence of N tokens comes twice; 0: off.")
  @Range(min = 0)
  @Nullable Integer noRepeatNgramSize;

  @Option(
      names = "--min-new-tokens",
      paramLabel = "N",
      description = "With --beams: the answer does not end before so many tokens.")
  @Range(min = 0)
  @Nullable Integer minNewTokens;

  /** Whether one of these options was given. */
  boolean given() {
    return beams != null || details();
  }

  private boolean details() {
    return lengthPenalty != null
        || earlyStopping != null
        || repetitionPenalty != null
        || noRepeatNgramSize != null
        || minNewTokens != null;
  }

  /**
   * The options on top of others; null for no search.
   *
   * @throws IllegalArgumentException for options that do not go together
   */
  @Nullable BeamOptions apply(@Nullable BeamOptions base) {
    if (beams != null && beams == 0) {
      if (details()) {
        throw new IllegalArgumentException(
            "--beams 0 is no beam search, which the other options of beam search need; use --beams 1 for greedy decoding with them");
      }
      return null;
    }
    if (beams == null && base == null) {
      if (details()) {
        throw new IllegalArgumentException(
            "--length-penalty, --early-stopping, --repetition-penalty, --no-repeat-ngram-size and --min-new-tokens are options of beam search; use them with --beams");
      }
      return null;
    }
    BeamOptions options = base == null ? BeamOptions.of(1) : base;
    options = beams == null ? options : options.withNumBeams(beams);
    options = lengthPenalty == null ? options : options.withLengthPenalty(lengthPenalty);
    options = earlyStopping == null ? options : options.withEarlyStopping(early(earlyStopping));
    options =
        repetitionPenalty == null ? options : options.withRepetitionPenalty(repetitionPenalty);
    options =
        noRepeatNgramSize == null ? options : options.withNoRepeatNgramSize(noRepeatNgramSize);
    return minNewTokens == null ? options : options.withMinNewTokens(minNewTokens);
  }

  private static EarlyStopping early(String value) {
    return switch (value) {
      case "true" -> EarlyStopping.YES;
      case "false" -> EarlyStopping.NO;
      case "never" -> EarlyStopping.NEVER;
      default ->
          throw new IllegalArgumentException(
              "--early-stopping: expected true, false or never, found '" + value + "'");
    };
  }
}
