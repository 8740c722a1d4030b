package dev.ocellus.vlm.tool.grammar;

import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.AnswerFormat.Kind;
import dev.ocellus.vlm.tool.AnswerFormat.Tag;
import dev.ocellus.vlm.tool.CallNotation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A grammar for answers of a model that was offered tools: text is free, and so is reasoning, but a
 * call that has begun is one of an offered tool with arguments that its schema allows.
 *
 * <p>The grammar describes the whole answer, so that a marker is met whichever way tokens cut it,
 * and a call is begun only where the limit on tokens leaves room for its end.
 */
public final class ToolGrammar {
  private static final String TEXT = "text";
  private static final String ANSWER = "answer";
  private static final String TO_FUNCTION = "to=functions.";

  /** In front of whom a message is for, where that has a line of its own. */
  private static final String NAME_LINE = ">>>";

  private final AnswerFormat format;
  private final ToolChoice choice;
  private final ControlTokens controlTokens;
  private final Map<String, GrammarExpr> rules = new LinkedHashMap<>();
  private final List<ToolSchema> tools;
  private final CallBlocks blocks;

  /** JSON schema of the answer where it is no call; null where it is free. */
  private final @Nullable String answer;

  private ToolGrammar(
      AnswerFormat format,
      List<ToolSchema> tools,
      ToolChoice choice,
      ControlTokens controlTokens,
      @Nullable String answer) {
    this.format = format;
    this.tools = tools;
    this.choice = choice;
    this.controlTokens = controlTokens;
    this.answer = answer;
    rules.put(Grammar.ROOT, GrammarExpr.EMPTY);
    this.blocks = new CallBlocks(format.notation(), tools, rules, controlTokens);
  }

  /**
   * Why calls of a tool may have any arguments and are not constrained to its schema; empty if they
   * are.
   *
   * @param notation in which the calls are written
   */
  public static Optional<String> problem(Tool tool, CallNotation notation) {
    return WritableTools.schema(tool, notation).problem();
  }

  /** Whether calls in a notation can be constrained to a grammar. */
  public static boolean supports(CallNotation notation) {
    return switch (notation) {
      case OTHER, PYTHON, GEMMA -> false;
      default -> true;
    };
  }

  /**
   * The grammar of an answer.
   *
   * @param promptEnd what stands in front of the answer; it may have opened reasoning
   * @param controlTokens those that the answer may hold
   * @return empty if the notation is not supported, or a name of a tool cannot be written in it
   * @throws JsonSchemaException if the schema of a tool that is strict is not supported
   * @throws IllegalArgumentException if the choice names a tool that is not offered
   */
  public static Optional<Grammar> of(
      AnswerFormat format,
      String promptEnd,
      List<Tool> offered,
      ToolChoice choice,
      ControlTokens controlTokens) {
    List<Tool> callable = callable(offered, choice);
    if (!WritableTools.areWritable(callable, format)) {
      return Optional.empty();
    }
    List<ToolSchema> schemas = WritableTools.schemas(callable, format.notation());
    return Optional.of(
        new ToolGrammar(format, schemas, choice, controlTokens, null).build(promptEnd));
  }

  /**
   * The grammar of an answer in JSON that a schema allows, or of calls in its stead. Reasoning may
   * come first, other text may not.
   *
   * @param promptEnd what stands in front of the answer; it may have opened reasoning
   * @param offered tools that may be called; they are not where their notation has no grammar
   * @param controlTokens those that the answer may hold
   * @param schema of the answer
   * @throws JsonSchemaException if the schema, or that of a strict tool, is not supported
   */
  public static Grammar ofSchema(
      AnswerFormat format,
      String promptEnd,
      List<Tool> offered,
      ToolChoice choice,
      ControlTokens controlTokens,
      String schema) {
    Grammar alone = JsonSchemaGrammar.of(schema);
    List<Tool> callable =
        choice instanceof ToolChoice.None || !WritableTools.areWritable(offered, format)
            ? List.of()
            : offered;
    boolean plain =
        format.tags().stream()
            .noneMatch(tag -> tag.kind() == Kind.REASONING || tag.kind() == Kind.HEADER);
    if (plain && callable.isEmpty()) {
      return alone;
    }
    List<ToolSchema> schemas = WritableTools.schemas(callable, format.notation());
    return new ToolGrammar(format, schemas, choice, controlTokens, schema).build(promptEnd);
  }

  private static List<Tool> callable(List<Tool> offered, ToolChoice choice) {
    if (!(choice instanceof ToolChoice.Named(String name))) {
      return offered;
    }
    List<Tool> one = offered.stream().filter(tool -> tool.name().equals(name)).toList();
    if (one.isEmpty()) {
      throw new IllegalArgumentException(
          "tool choice: expected auto, required, none or a tool that is offered (%s), found %s"
              .formatted(offered.stream().map(Tool::name).toList(), name));
    }
    return one;
  }

  private Grammar build(String promptEnd) {
    Tag open = format.openIn(promptEnd);
    GrammarExpr root;
    if (choice.requiresCall() || answer != null) {
      root = notFree(open);
    } else {
      FreeText text = addText();
      root = open == null ? begin(text) : open.kind() == Kind.HEADER ? header() : reasoning(open);
    }
    rules.put(Grammar.ROOT, root);
    return Grammar.of(rules);
  }

  private GrammarExpr text() {
    return GrammarExpr.ref(TEXT);
  }

  private GrammarExpr markup(String text) {
    return controlTokens.markup(text);
  }

  private boolean callsAreAllowed() {
    return !(choice instanceof ToolChoice.None);
  }

  private boolean isHeader() {
    return format.tags().stream().anyMatch(tag -> tag.kind() == Kind.HEADER);
  }

  private boolean isNameLine() {
    return format.tags().stream().anyMatch(tag -> tag.open().equals(NAME_LINE));
  }

  /** The rules of text in which reasoning and calls may begin. */
  private FreeText addText() {
    FreeText text = new FreeText(rules, controlTokens, TEXT);
    for (Tag tag : format.tags()) {
      switch (tag.kind()) {
        case TEXT -> {}
        case REASONING -> text.on(tag.open(), reasoning(tag));
        case HEADER -> text.on(tag.open(), header());
        case CALLS -> {
          if (callsAreAllowed()) {
            GrammarExpr after = tag.close().isEmpty() ? GrammarExpr.EMPTY : text();
            text.on(tag.open(), GrammarExpr.sequence(blocks.block(tag, true), after));
          } else {
            text.without(tag.open());
          }
        }
      }
    }
    rules.put(TEXT, text.rules());
    return text;
  }

  /** Reasoning up to its end, and the text that follows. */
  private GrammarExpr reasoning(Tag tag) {
    String name = "reasoning " + tag.open();
    if (!rules.containsKey(name)) {
      rules.put(name, GrammarExpr.EMPTY);
      FreeText inside = new FreeText(rules, controlTokens, "inside " + tag.open());
      rules.put(name, inside.on(tag.close(), text()).rules());
    }
    return GrammarExpr.ref(name);
  }

  /** The beginning of an answer, which may be a call without a marker. */
  private GrammarExpr begin(FreeText text) {
    if (!format.leadingJson()) {
      return text();
    }
    GrammarExpr call =
        callsAreAllowed()
            ? GrammarExpr.sequence(GrammarExpr.ref("leading call"), CallBlocks.SPACE)
            : null;
    if (call != null) {
      rules.put("leading call", blocks.jsonCall());
    }
    return LeadingJson.of(rules, text, call);
  }

  /** What follows the marker of a header: whom the message is for, and the message. */
  private GrammarExpr header() {
    String name = "header";
    if (rules.containsKey(name)) {
      return GrammarExpr.ref(name);
    }
    rules.put(name, GrammarExpr.EMPTY);
    if (format.notation() == CallNotation.NAME_LINE) {
      List<GrammarExpr> options = new ArrayList<>();
      options.add(GrammarExpr.EMPTY);
      options.add(GrammarExpr.sequence(GrammarExpr.literal("all\n"), text()));
      if (callsAreAllowed()) {
        GrammarExpr more = GrammarExpr.sequence(markup(NAME_LINE), GrammarExpr.ref(name));
        options.add(GrammarExpr.sequence(nameLine(), GrammarExpr.optional(more)));
      }
      rules.put(name, new GrammarExpr.Choice(options));
      return GrammarExpr.ref(name);
    }
    FreeText inside = new FreeText(rules, controlTokens, "inside header").on("<|message|>", text());
    if (callsAreAllowed()) {
      inside.on(TO_FUNCTION, GrammarExpr.sequence(toFunction(), afterMessage()));
    } else {
      inside.without(TO_FUNCTION);
    }
    rules.put(name, inside.rules());
    return GrammarExpr.ref(name);
  }

  /** A name in a line of its own, and the arguments. */
  private GrammarExpr nameLine() {
    return GrammarExpr.sequence(
        GrammarExpr.choice(
            tools.stream()
                .map(tool ->
                    GrammarExpr.sequence(
                        GrammarExpr.literal(tool.name() + "\n"),
                        CallBlocks.SPACE,
                        blocks.argumentsOf(tool)))
                .toList()),
        CallBlocks.SPACE);
  }

  /** A name in a header, the rest of the header, and the arguments as the message. */
  private GrammarExpr toFunction() {
    String name = "rest of header";
    GrammarExpr message = markup("<|message|>");
    if (!rules.containsKey(name)) {
      rules.put(name, GrammarExpr.EMPTY);
      FreeText rest =
          new FreeText(rules, controlTokens, "in " + name)
              .toMarkerOnly()
              .on("<|message|>", GrammarExpr.EMPTY);
      rules.put(
          name,
          new GrammarExpr.Choice(
              List.of(
                  message,
                  GrammarExpr.sequence(GrammarExpr.literal(" "), rest.rules()),
                  GrammarExpr.sequence(markup("<|channel|>"), rest.start()),
                  GrammarExpr.sequence(markup("<|constrain|>"), rest.start()))));
    }
    return GrammarExpr.sequence(
        GrammarExpr.choice(
            tools.stream()
                .map(tool ->
                    GrammarExpr.sequence(
                        GrammarExpr.literal(tool.name()),
                        GrammarExpr.ref(name),
                        CallBlocks.SPACE,
                        blocks.argumentsOf(tool)))
                .toList()),
        CallBlocks.SPACE);
  }

  /** The end of a message, and what follows it. */
  private GrammarExpr afterMessage() {
    List<GrammarExpr> options = new ArrayList<>();
    options.add(GrammarExpr.EMPTY);
    for (Tag tag : format.tags()) {
      boolean begins = tag.kind() == Kind.HEADER;
      options.add(GrammarExpr.sequence(markup(tag.open()), begins ? header() : text()));
      if (!begins) {
        options.add(GrammarExpr.sequence(markup(tag.close()), text()));
      }
    }
    return new GrammarExpr.Choice(options);
  }

  /**
   * Calls, or what the schema of the answer allows, and nothing else; with reasoning in front where
   * the format has it.
   */
  private GrammarExpr notFree(@Nullable Tag open) {
    boolean several = !(choice instanceof ToolChoice.Named);
    if (isHeader()) {
      return notFreeAfterHeader(open, several);
    }
    List<GrammarExpr> calls = new ArrayList<>();
    List<GrammarExpr> thoughts = new ArrayList<>();
    for (Tag tag : format.tags()) {
      if (tag.kind() == Kind.CALLS && !tools.isEmpty()) {
        GrammarExpr call = GrammarExpr.sequence(markup(tag.open()), blocks.block(tag, several));
        GrammarExpr more = GrammarExpr.sequence(CallBlocks.SPACE, call);
        boolean repeats = several && !tag.close().isEmpty();
        calls.add(
            repeats
                ? GrammarExpr.sequence(call, new GrammarExpr.Repeat(more, 0, GrammarExpr.UNLIMITED))
                : call);
      } else if (tag.kind() == Kind.REASONING) {
        GrammarExpr inside = inside(tag);
        thoughts.add(
            tag.equals(open)
                ? inside
                : GrammarExpr.sequence(CallBlocks.SPACE, markup(tag.open()), inside));
      }
    }
    if (format.leadingJson() && !tools.isEmpty()) {
      calls.add(blocks.jsonCall());
    }
    GrammarExpr whole = withAnswer(calls);
    if (open != null) {
      return GrammarExpr.sequence(inside(open), whole);
    }
    return thoughts.isEmpty()
        ? whole
        : GrammarExpr.sequence(GrammarExpr.optional(GrammarExpr.choice(thoughts)), whole);
  }

  /** One of the calls, or JSON of the schema, between markers of text perhaps. */
  private GrammarExpr withAnswer(List<GrammarExpr> calls) {
    List<GrammarExpr> options = new ArrayList<>();
    if (!calls.isEmpty()) {
      options.add(GrammarExpr.sequence(GrammarExpr.choice(calls), CallBlocks.SPACE));
    }
    if (answer != null) {
      rules.put(ANSWER, JsonSchemaGrammar.addTo(rules, answer));
      GrammarExpr json = GrammarExpr.ref(ANSWER);
      options.add(json);
      for (Tag tag : format.tags()) {
        if (tag.kind() == Kind.TEXT) {
          GrammarExpr close = GrammarExpr.optional(markup(tag.close()));
          options.add(GrammarExpr.sequence(markup(tag.open()), json, close));
        }
      }
    }
    return GrammarExpr.sequence(CallBlocks.SPACE, GrammarExpr.choice(options));
  }

  /** Reasoning that has begun, up to its end. */
  private GrammarExpr inside(Tag tag) {
    FreeText inside = new FreeText(rules, controlTokens, "inside " + tag.open()).toMarkerOnly();
    return inside.on(tag.close(), GrammarExpr.EMPTY).rules();
  }

  private GrammarExpr notFreeAfterHeader(@Nullable Tag open, boolean several) {
    if (isNameLine()) {
      GrammarExpr lines = GrammarExpr.choice(nameLines(several));
      return open == null ? GrammarExpr.sequence(markup(NAME_LINE), lines) : lines;
    }
    List<GrammarExpr> messages = new ArrayList<>();
    if (!tools.isEmpty()) {
      GrammarExpr call = GrammarExpr.sequence(GrammarExpr.literal(TO_FUNCTION), toFunction());
      messages.add(GrammarExpr.sequence(GrammarExpr.literal(" "), call));
      messages.add(GrammarExpr.sequence(markup("<|channel|>commentary "), call));
    }
    if (answer != null) {
      messages.add(
          GrammarExpr.sequence(
              markup("<|channel|>final<|message|>"), JsonSchemaGrammar.addTo(rules, answer)));
    }
    FreeText analysis = new FreeText(rules, controlTokens, "analysis").toMarkerOnly();
    format.markers().stream().filter(m -> !m.equals("<|end|>")).forEach(analysis::without);
    GrammarExpr thoughts =
        GrammarExpr.sequence(
            markup("<|channel|>analysis<|message|>"),
            analysis.on("<|end|>", GrammarExpr.EMPTY).rules(),
            markup("<|start|>assistant"));
    GrammarExpr start = open == null ? markup("<|start|>assistant") : GrammarExpr.EMPTY;
    return GrammarExpr.sequence(
        start, GrammarExpr.optional(thoughts), GrammarExpr.choice(messages));
  }

  private List<GrammarExpr> nameLines(boolean several) {
    List<GrammarExpr> options = new ArrayList<>();
    if (!tools.isEmpty()) {
      GrammarExpr more = GrammarExpr.sequence(markup(NAME_LINE), nameLine());
      options.add(
          several
              ? GrammarExpr.sequence(
                  nameLine(), new GrammarExpr.Repeat(more, 0, GrammarExpr.UNLIMITED))
              : nameLine());
    }
    if (answer != null) {
      options.add(
          GrammarExpr.sequence(
              GrammarExpr.literal("all\n"), JsonSchemaGrammar.addTo(rules, answer)));
    }
    return options;
  }
}
