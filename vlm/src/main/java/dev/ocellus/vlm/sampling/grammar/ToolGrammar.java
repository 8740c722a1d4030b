package dev.ocellus.vlm.sampling.grammar;

import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.AnswerFormat.Kind;
import dev.ocellus.vlm.tool.AnswerFormat.Tag;
import dev.ocellus.vlm.tool.CallNotation;
import dev.ocellus.vlm.tool.Tool;
import dev.ocellus.vlm.tool.ToolChoice;
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
  private final Map<String, Expr> rules = new LinkedHashMap<>();
  private final List<ToolSchema> tools;
  private final CallBlocks blocks;

  private ToolGrammar(
      AnswerFormat format, List<ToolSchema> tools, ToolChoice choice, ControlTokens controlTokens) {
    this.format = format;
    this.tools = tools;
    this.choice = choice;
    this.controlTokens = controlTokens;
    rules.put(Grammar.ROOT, Expr.EMPTY);
    this.blocks = new CallBlocks(format.notation(), tools, rules, controlTokens);
  }

  /**
   * Why calls of a tool may have any arguments and are not held to its schema; empty if they are.
   *
   * @param notation in which the calls are written
   */
  public static Optional<String> problem(Tool tool, CallNotation notation) {
    return schema(tool, notation).problem();
  }

  /** Whether calls in a notation can be held to a grammar. */
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
      Map<String, Expr> rules = new LinkedHashMap<>();
      try {
        var blocks = new CallBlocks(notation, List.of(schema), rules, ControlTokens.NONE);
        rules.put(Grammar.ROOT, blocks.argumentsOf(schema));
        Rules.check(rules, Grammar.ROOT, (reference, message) -> new GrammarException(message));
      } catch (JsonSchemaException | GrammarException e) {
        schema = schema.withAnyArguments(String.valueOf(e.getMessage()));
      }
    }
    return schema;
  }

  private Grammar build(String promptEnd) {
    Tag open = format.openIn(promptEnd);
    Expr root;
    if (choice.requiresCall()) {
      root = required(open);
    } else {
      FreeText text = addText();
      root = open == null ? begin(text) : open.kind() == Kind.HEADER ? header() : reasoning(open);
    }
    rules.put(Grammar.ROOT, root);
    return Grammar.of(
        Rules.check(rules, Grammar.ROOT, (reference, message) -> new GrammarException(message)));
  }

  private Expr text() {
    return Expr.ref(TEXT);
  }

  private Expr markup(String text) {
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
            Expr after = tag.close().isEmpty() ? Expr.EMPTY : text();
            text.on(tag.open(), Expr.sequence(blocks.block(tag, true), after));
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
  private Expr reasoning(Tag tag) {
    String name = "reasoning " + tag.open();
    if (!rules.containsKey(name)) {
      rules.put(name, Expr.EMPTY);
      FreeText inside = new FreeText(rules, controlTokens, "inside " + tag.open());
      rules.put(name, inside.on(tag.close(), text()).rules());
    }
    return Expr.ref(name);
  }

  /** The beginning of an answer, which may be a call without a marker. */
  private Expr begin(FreeText text) {
    if (!format.leadingJson()) {
      return text();
    }
    Expr call =
        callsAreAllowed() ? Expr.sequence(Expr.ref("leading call"), CallBlocks.SPACE) : null;
    if (call != null) {
      rules.put("leading call", blocks.jsonCall());
    }
    return LeadingJson.of(rules, text, call);
  }

  /** What follows the marker of a header: whom the message is for, and the message. */
  private Expr header() {
    String name = "header";
    if (rules.containsKey(name)) {
      return Expr.ref(name);
    }
    rules.put(name, Expr.EMPTY);
    if (format.notation() == CallNotation.NAME_LINE) {
      List<Expr> options = new ArrayList<>();
      options.add(Expr.EMPTY);
      options.add(Expr.sequence(Expr.literal("all\n"), text()));
      if (callsAreAllowed()) {
        Expr more = Expr.sequence(markup(">>>"), Expr.ref(name));
        options.add(Expr.sequence(nameLine(), Expr.optional(more)));
      }
      rules.put(name, new Expr.Choice(options));
      return Expr.ref(name);
    }
    FreeText inside = new FreeText(rules, controlTokens, "inside header").on("<|message|>", text());
    if (callsAreAllowed()) {
      inside.on(TO_FUNCTION, Expr.sequence(toFunction(), afterMessage()));
    } else {
      inside.without(TO_FUNCTION);
    }
    rules.put(name, inside.rules());
    return Expr.ref(name);
  }

  /** A name in a line of its own, and the arguments. */
  private Expr nameLine() {
    return Expr.sequence(
        Expr.choice(
            tools.stream()
                .map(tool ->
                    Expr.sequence(
                        Expr.literal(tool.name() + "\n"),
                        CallBlocks.SPACE,
                        blocks.argumentsOf(tool)))
                .toList()),
        CallBlocks.SPACE);
  }

  /** A name in a header, the rest of the header, and the arguments as the message. */
  private Expr toFunction() {
    String name = "rest of header";
    Expr message = markup("<|message|>");
    if (!rules.containsKey(name)) {
      rules.put(name, Expr.EMPTY);
      FreeText rest =
          new FreeText(rules, controlTokens, "in " + name)
              .toMarkerOnly()
              .on("<|message|>", Expr.EMPTY);
      rules.put(
          name,
          new Expr.Choice(
              List.of(
                  message,
                  Expr.sequence(Expr.literal(" "), rest.rules()),
                  Expr.sequence(markup("<|channel|>"), rest.start()),
                  Expr.sequence(markup("<|constrain|>"), rest.start()))));
    }
    return Expr.sequence(
        Expr.choice(
            tools.stream()
                .map(tool ->
                    Expr.sequence(
                        Expr.literal(tool.name()),
                        Expr.ref(name),
                        CallBlocks.SPACE,
                        blocks.argumentsOf(tool)))
                .toList()),
        CallBlocks.SPACE);
  }

  /** The end of a message, and what follows it. */
  private Expr afterMessage() {
    List<Expr> options = new ArrayList<>();
    options.add(Expr.EMPTY);
    for (Tag tag : format.tags()) {
      boolean begins = tag.kind() == Kind.HEADER;
      options.add(Expr.sequence(markup(tag.open()), begins ? header() : text()));
      if (!begins) {
        options.add(Expr.sequence(markup(tag.close()), text()));
      }
    }
    return new Expr.Choice(options);
  }

  /** Calls and nothing else, with reasoning in front where the format has it. */
  private Expr required(@Nullable Tag open) {
    boolean several = choice instanceof ToolChoice.Required;
    if (isHeader()) {
      return requiredAfterHeader(open, several);
    }
    List<Expr> calls = new ArrayList<>();
    List<Expr> thoughts = new ArrayList<>();
    for (Tag tag : format.tags()) {
      if (tag.kind() == Kind.CALLS) {
        Expr call = Expr.sequence(markup(tag.open()), blocks.block(tag, several));
        Expr more = Expr.sequence(CallBlocks.SPACE, call);
        boolean repeats = several && !tag.close().isEmpty();
        calls.add(repeats ? Expr.sequence(call, new Expr.Repeat(more, 0, Expr.UNLIMITED)) : call);
      } else if (tag.kind() == Kind.REASONING) {
        Expr inside = inside(tag);
        thoughts.add(
            tag.equals(open)
                ? inside
                : Expr.sequence(CallBlocks.SPACE, markup(tag.open()), inside));
      }
    }
    if (format.leadingJson()) {
      calls.add(blocks.jsonCall());
    }
    Expr answer = Expr.sequence(CallBlocks.SPACE, Expr.choice(calls), CallBlocks.SPACE);
    if (open != null) {
      return Expr.sequence(inside(open), answer);
    }
    return thoughts.isEmpty()
        ? answer
        : Expr.sequence(Expr.optional(Expr.choice(thoughts)), answer);
  }

  /** Reasoning that has begun, up to its end. */
  private Expr inside(Tag tag) {
    FreeText inside = new FreeText(rules, controlTokens, "inside " + tag.open()).toMarkerOnly();
    return inside.on(tag.close(), Expr.EMPTY).rules();
  }

  private Expr requiredAfterHeader(@Nullable Tag open, boolean several) {
    if (format.notation() == CallNotation.NAME_LINE) {
      Expr more = Expr.sequence(markup(">>>"), nameLine());
      Expr calls =
          several
              ? Expr.sequence(nameLine(), new Expr.Repeat(more, 0, Expr.UNLIMITED))
              : nameLine();
      return open == null ? Expr.sequence(markup(">>>"), calls) : calls;
    }
    Expr call = Expr.sequence(Expr.literal(TO_FUNCTION), toFunction());
    Expr recipient = Expr.sequence(Expr.literal(" "), call);
    Expr channel = Expr.sequence(markup("<|channel|>commentary "), call);
    FreeText analysis = new FreeText(rules, controlTokens, "analysis").toMarkerOnly();
    format.markers().stream().filter(m -> !m.equals("<|end|>")).forEach(analysis::without);
    Expr thoughts =
        Expr.sequence(
            markup("<|channel|>analysis<|message|>"),
            analysis.on("<|end|>", Expr.EMPTY).rules(),
            markup("<|start|>assistant"));
    Expr start = open == null ? markup("<|start|>assistant") : Expr.EMPTY;
    return Expr.sequence(
        start, Expr.optional(thoughts), new Expr.Choice(List.of(recipient, channel)));
  }
}
