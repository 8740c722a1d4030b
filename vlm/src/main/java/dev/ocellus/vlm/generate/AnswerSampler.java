package dev.ocellus.vlm.generate;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.OutputConstraint;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.chat.ToolFormatException;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarConstraint;
import dev.ocellus.vlm.grammar.GrammarVocabulary;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.sampling.ConstrainedSampler;
import dev.ocellus.vlm.sampling.LazyConstraint;
import dev.ocellus.vlm.sampling.NgramGuard;
import dev.ocellus.vlm.sampling.SamplerChain;
import dev.ocellus.vlm.sampling.TokenConstraint;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/** Chooses the tokens of one answer, as its options say. */
final class AnswerSampler {
  private final SamplerChain chain;
  private final @Nullable TokenConstraint constraint;
  private final @Nullable ConstrainedSampler constrained;
  private final @Nullable NgramGuard guard;
  private final Set<Integer> unguarded = new HashSet<>();
  private int[] answer = new int[64];
  private int nAnswer;

  /**
   * @throws dev.ocellus.vlm.grammar.GrammarException if the grammar is not valid
   * @throws dev.ocellus.vlm.grammar.schema.JsonSchemaException if the schema is not supported
   * @throws ToolFormatException if a call is required and cannot be forced
   */
  AnswerSampler(GenerationOptions options, Pipeline pipeline, Prompt prompt) {
    Vocab vocab = pipeline.decoder().vocab();
    this.chain = options.sampling().toChain(new SamplingVocabulary(vocab));
    this.constraint = constraint(options, pipeline, prompt);
    this.constrained = constraint == null ? null : new ConstrainedSampler(chain, constraint);
    this.guard = options.ngramGuard();
    if (guard != null) {
      guard.allowed().forEach(text -> singleToken(vocab, text).ifPresent(unguarded::add));
    }
  }

  private static @Nullable TokenConstraint constraint(
      GenerationOptions options, Pipeline pipeline, Prompt prompt) {
    return switch (options.constraint()) {
      case OutputConstraint.None none -> calls(options, pipeline, prompt.end());
      case OutputConstraint.JsonSchema(String schema) ->
          new GrammarConstraint(
              pipeline.grammars().ofSchema(options.prompt(), prompt.end(), schema),
              pipeline.grammars().vocabulary());
      case OutputConstraint.Gbnf(String gbnf, OutputConstraint.Trigger trigger) -> {
        Vocab vocab = pipeline.decoder().vocab();
        GrammarVocabulary tokens = pipeline.grammars().vocabulary();
        Grammar grammar = Grammar.parse(gbnf, Grammar.ROOT, text -> singleToken(vocab, text));
        yield trigger.isLazy()
            ? lazy(trigger, new GrammarConstraint(grammar, tokens), vocab)
            : new GrammarConstraint(grammar, tokens);
      }
    };
  }

  /** What holds calls to the tools that are offered; null if nothing does. */
  private static @Nullable TokenConstraint calls(
      GenerationOptions options, Pipeline pipeline, String promptEnd) {
    PromptOptions asked = options.prompt();
    ToolChoice choice = asked.toolChoice();
    if (asked.tools().isEmpty() && choice.requiresCall()) {
      throw new IllegalArgumentException("tool choice: a call is required, but no tool is offered");
    }
    if (asked.tools().isEmpty() || !asked.constrainedCalls() || options.ignoreEos()) {
      return null;
    }
    Grammar grammar = pipeline.grammars().of(asked, promptEnd).orElse(null);
    if (grammar == null && choice.requiresCall()) {
      throw new ToolFormatException(
          "A call cannot be forced, as there is no grammar for the notation in which this model's chat template writes calls (docs/tools.md). Use the tool choice auto.");
    }
    return grammar == null
        ? null
        : new GrammarConstraint(grammar, pipeline.grammars().vocabulary());
  }

  private static OptionalInt singleToken(Vocab vocab, String text) {
    int[] ids = vocab.tokenize(text, true);
    return ids.length == 1 ? OptionalInt.of(ids[0]) : OptionalInt.empty();
  }

  private static TokenConstraint lazy(
      OutputConstraint.Trigger trigger, GrammarConstraint inner, Vocab vocab) {
    List<Pattern> patterns = new ArrayList<>();
    for (String word : trigger.words()) {
      patterns.add(Pattern.compile(Pattern.quote(word)));
    }
    for (String pattern : trigger.patterns()) {
      try {
        patterns.add(Pattern.compile(pattern, Pattern.DOTALL));
      } catch (PatternSyntaxException e) {
        throw new IllegalArgumentException(
            "grammar trigger: expected a regular expression, found \"%s\": %s"
                .formatted(pattern, e.getDescription()),
            e);
      }
    }
    List<Integer> tokens = new ArrayList<>();
    for (String text : trigger.tokens()) {
      tokens.add(
          singleToken(vocab, text)
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "grammar trigger: the vocabulary has no single token " + text)));
    }
    return new LazyConstraint(inner, patterns, tokens, token -> vocab.piece(token, false));
  }

  /**
   * Chooses a token and accepts it.
   *
   * @param logits changed in place
   * @param tokensLeft how many may still come, this one included; -1 for no limit
   */
  int sample(float[] logits, int tokensLeft) {
    if (guard == null) {
      return choose(logits, tokensLeft);
    }
    guard.apply(logits, answer, nAnswer, unguarded);
    int token = choose(logits, tokensLeft);
    if (nAnswer == answer.length) {
      answer = Arrays.copyOf(answer, 2 * nAnswer);
    }
    answer[nAnswer++] = token;
    return token;
  }

  private int choose(float[] logits, int tokensLeft) {
    if (constraint == null || constrained == null) {
      return chain.sample(logits);
    }
    constraint.setTokensLeft(tokensLeft);
    return constrained.sample(FloatBuffer.wrap(logits));
  }

  /** Whether the answer has come to an end by the grammar, so that nothing may follow. */
  boolean mustEnd() {
    return constraint != null && constraint.mustEnd();
  }
}
