package dev.ocellus.vlm.tool.grammar;

import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarException;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
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
  private static final String TO_FUNCTION = "to=functions.";

  private final AnswerFormat format;
  private final ToolChoice choice;
  private final ControlTokens controlTokens;
  private final Map<String, GrammarExpr> rules = new LinkedHashMap<>();
  private final List<ToolSchema> tools;
  private final CallBlocks blocks;

  private ToolGrammar(
      AnswerFormat format, List<ToolSchema> tools, ToolChoice choice, ControlTokens controlTokens) {
    this.format = format;
    this.tools = tools;
    this.choice = choice;
    this.controlTokens = controlTokens;
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
    return schema(tool, notation).problem();
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
    boolean named =
        callable.stream().allMatch(t -> t.name().codePoints().allMatch(CallBlocks.NAME::contains));
    if (!supports(format.notation()) || !named) {
      return Optional.empty();
    }
    List<ToolSchema> schemas = new ArrayList<>();
    for (Tool tool : callable) {
      ToolSchema schema = schema(tool, format.notation());
      if (schema.isStrict() && schema.problem().isPresent()) {
        throw new JsonSchemaException(
            "",
            "the tool '%s' is strict, and its schema is not supported: %s"
                .formatted(tool.name(), schema.problem().get()));
      }
      schemas.add(schema);
    }
    return Optional.of(new ToolGrammar(format, schemas, choice, controlTokens).build(promptEnd));
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

  /** The schema where the notation can write it; else any arguments. */
  private static ToolSchema schema(Tool tool, CallNotation notation) {
    ToolSchema schema = ToolSchema.of(tool);
    if (schema.problem().isEmpty()) {
      Map<String, GrammarExpr> rules = new LinkedHashMap<>();
      try {
        var blocks = new CallBlocks(notation, List.of(schema), rules, ControlTokens.NONE);
        rules.put(Grammar.ROOT, blocks.argumentsOf(schema));
        Grammar.of(rules);
      } catch (JsonSchemaException | GrammarException e) {
        schema = schema.withAnyArguments(String.valueOf(e.getMessage()));
      }
    }
    return schema;
  }

  private Grammar build(String promptEnd) {
    Tag open = format.openIn(promptEnd);
    GrammarExpr root;
    if (choice.requiresCall()) {
      root = required(open);
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
    return format.notation() == CallNotation.NAME_LINE
        || format.notation() == CallNotation.CHANNELS;
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
        GrammarExpr more = GrammarExpr.sequence(markup(">>>"), GrammarExpr.ref(name));
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

  /** Calls and nothing else, with reasoning in front where the format has it. */
  private GrammarExpr required(@Nullable Tag open) {
    boolean several = choice instanceof ToolChoice.Required;
    if (isHeader()) {
      return requiredAfterHeader(open, several);
    }
    List<GrammarExpr> calls = new ArrayList<>();
    List<GrammarExpr> thoughts = new ArrayList<>();
    for (Tag tag : format.tags()) {
      if (tag.kind() == Kind.CALLS) {
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
    if (format.leadingJson()) {
      calls.add(blocks.jsonCall());
    }
    GrammarExpr answer =
        GrammarExpr.sequence(CallBlocks.SPACE, GrammarExpr.choice(calls), CallBlocks.SPACE);
    if (open != null) {
      return GrammarExpr.sequence(inside(open), answer);
    }
    return thoughts.isEmpty()
        ? answer
        : GrammarExpr.sequence(GrammarExpr.optional(GrammarExpr.choice(thoughts)), answer);
  }

  /** Reasoning that has begun, up to its end. */
  private GrammarExpr inside(Tag tag) {
    FreeText inside = new FreeText(rules, controlTokens, "inside " + tag.open()).toMarkerOnly();
    return inside.on(tag.close(), GrammarExpr.EMPTY).rules();
  }

  private GrammarExpr requiredAfterHeader(@Nullable Tag open, boolean several) {
    if (format.notation() == CallNotation.NAME_LINE) {
      GrammarExpr more = GrammarExpr.sequence(markup(">>>"), nameLine());
      GrammarExpr calls =
          several
              ? GrammarExpr.sequence(
                  nameLine(), new GrammarExpr.Repeat(more, 0, GrammarExpr.UNLIMITED))
              : nameLine();
      return open == null ? GrammarExpr.sequence(markup(">>>"), calls) : calls;
    }
    GrammarExpr call = GrammarExpr.sequence(GrammarExpr.literal(TO_FUNCTION), toFunction());
    GrammarExpr recipient = GrammarExpr.sequence(GrammarExpr.literal(" "), call);
    GrammarExpr channel = GrammarExpr.sequence(markup("<|channel|>commentary "), call);
    FreeText analysis = new FreeText(rules, controlTokens, "analysis").toMarkerOnly();
    format.markers().stream().filter(m -> !m.equals("<|end|>")).forEach(analysis::without);
    GrammarExpr thoughts =
        GrammarExpr.sequence(
            markup("<|channel|>analysis<|message|>"),
            analysis.on("<|end|>", GrammarExpr.EMPTY).rules(),
            markup("<|start|>assistant"));
    GrammarExpr start = open == null ? markup("<|start|>assistant") : GrammarExpr.EMPTY;
    return GrammarExpr.sequence(
        start, GrammarExpr.optional(thoughts), new GrammarExpr.Choice(List.of(recipient, channel)));
  }
}
