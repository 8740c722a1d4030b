package dev.ocellus.vlm.generate;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarVocabulary;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.grammar.ControlTokens;
import dev.ocellus.vlm.tool.grammar.ToolGrammar;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a model's answers are constrained to: its tokens as grammars see them, and grammars of
 * calls.
 */
public final class ToolGrammars {
  private static final Logger LOG = System.getLogger("dev.ocellus.vlm.tool");

  private final Function<PromptOptions, AnswerFormat> formats;
  private final Vocab vocab;

  /** Races only make these twice. */
  private volatile @Nullable GrammarVocabulary vocabulary;

  private volatile @Nullable KnownTokens controlTokens;
  private volatile @Nullable Known last;

  /** Control tokens of answers in a format. */
  private record KnownTokens(AnswerFormat format, ControlTokens tokens) {}

  /** A grammar and what it was made for. */
  private record Known(
      List<Tool> tools,
      ToolChoice choice,
      AnswerFormat.@Nullable Tag open,
      @Nullable String schema,
      Optional<Grammar> grammar) {
    boolean isFor(
        List<Tool> tools,
        ToolChoice choice,
        AnswerFormat.@Nullable Tag open,
        @Nullable String schema) {
      return this.tools.equals(tools)
          && this.choice.equals(choice)
          && Objects.equals(this.open, open)
          && Objects.equals(this.schema, schema);
    }
  }

  /**
   * @param formats how answers are written, which the offered tools may decide
   */
  public ToolGrammars(Function<PromptOptions, AnswerFormat> formats, Vocab vocab) {
    this.formats = formats;
    this.vocab = vocab;
  }

  /** The tokens as grammars see them; made when first asked for, as it takes a moment. */
  GrammarVocabulary vocabulary() {
    GrammarVocabulary known = vocabulary;
    if (known == null) {
      known =
          new GrammarVocabulary(
              vocab.nTokens(), token -> vocab.piece(token, false), vocab::isEndOfGeneration);
      vocabulary = known;
    }
    return known;
  }

  /**
   * The grammar of answers that may call tools, made anew when the tools or the choice change;
   * empty where calls are not constrained to one.
   */
  Optional<Grammar> of(PromptOptions options, String promptEnd) {
    AnswerFormat format = formats.apply(options);
    AnswerFormat.Tag open = format.openIn(promptEnd);
    Known known = last;
    if (known == null || !known.isFor(options.tools(), options.toolChoice(), open, null)) {
      Optional<Grammar> grammar =
          ToolGrammar.of(
              format, promptEnd, options.tools(), options.toolChoice(), controlTokens(format));
      warn(grammar.isPresent(), options, format);
      known = new Known(options.tools(), options.toolChoice(), open, null, grammar);
      last = known;
    }
    return known.grammar;
  }

  /**
   * The grammar of answers that a schema allows, or of calls where tools are offered.
   *
   * @throws dev.ocellus.vlm.grammar.schema.JsonSchemaException if the schema is not supported
   */
  Grammar ofSchema(PromptOptions options, String promptEnd, String schema) {
    AnswerFormat all = formats.apply(options);
    AnswerFormat format = options.mayCall() ? all : all.withoutCalls();
    List<Tool> tools =
        options.mayCall() && options.constrainedCalls() ? options.tools() : List.of();
    AnswerFormat.Tag open = format.openIn(promptEnd);
    Known known = last;
    if (known == null || !known.isFor(tools, options.toolChoice(), open, schema)) {
      Grammar grammar =
          ToolGrammar.ofSchema(
              format, promptEnd, tools, options.toolChoice(), controlTokens(format), schema);
      known = new Known(tools, options.toolChoice(), open, schema, Optional.of(grammar));
      last = known;
    }
    return known.grammar.orElseThrow();
  }

  private static void warn(boolean constrained, PromptOptions options, AnswerFormat format) {
    if (!constrained) {
      LOG.log(
          Level.WARNING,
          "calls are not constrained to the tools, as there is no grammar for the notation of this model's chat template or for a tool's name in it (docs/tools.md)");
      return;
    }
    for (Tool tool : options.tools()) {
      ToolGrammar.problem(tool, format.notation())
          .ifPresent(why ->
              LOG.log(
                  Level.WARNING,
                  "calls of the tool '"
                      + tool.name()
                      + "' may have any arguments, as its schema is not supported: "
                      + why));
    }
  }

  private ControlTokens controlTokens(AnswerFormat format) {
    KnownTokens known = controlTokens;
    if (known == null || !known.format.equals(format)) {
      var tokens = ControlTokens.of(vocabulary(), AnswerOutput.markers(format, vocab));
      known = new KnownTokens(format, tokens);
      controlTokens = known;
    }
    return known.tokens;
  }
}
