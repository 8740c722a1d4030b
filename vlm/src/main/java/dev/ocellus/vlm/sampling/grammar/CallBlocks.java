package dev.ocellus.vlm.sampling.grammar;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.vlm.tool.AnswerFormat.Tag;
import dev.ocellus.vlm.tool.CallNotation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Expressions of calls, in the notations that {@code ToolCallParser} reads. */
final class CallBlocks {
  /** Characters of a name that all notations can write. */
  static final CharSet NAME =
      CharSet.ofChars("_.-")
          .union(CharSet.of('0', '9'))
          .union(CharSet.of('a', 'z'))
          .union(CharSet.of('A', 'Z'));

  /** White space around what is written. */
  static final Expr SPACE = new Expr.Repeat(new Expr.Chars(CharSet.ofChars(" \t\r\n")), 0, 20);

  private static final Expr IDENTIFIER =
      new Expr.Repeat(new Expr.Chars(NAME.union(CharSet.ofChars(":"))), 0, 64);

  private static final String DSML = "｜DSML｜";

  private final CallNotation notation;
  private final List<ToolSchema> tools;
  private final Map<String, Expr> rules;
  private final ControlTokens controlTokens;
  private final Map<String, Expr> arguments = new HashMap<>();

  CallBlocks(
      CallNotation notation,
      List<ToolSchema> tools,
      Map<String, Expr> rules,
      ControlTokens controlTokens) {
    this.notation = notation;
    this.tools = tools;
    this.rules = rules;
    this.controlTokens = controlTokens;
    for (ToolSchema tool : tools) {
      arguments.put(tool.name(), rule("arguments of " + tool.name(), arguments(tool)));
    }
  }

  private Expr rule(String name, Expr expr) {
    rules.put(name, expr);
    return Expr.ref(name);
  }

  private Expr arguments(ToolSchema tool) {
    return switch (notation) {
      case FUNCTION_TAGS -> {
        Expr end = Expr.literal(">");
        yield tagged("<parameter=", end, end, "</parameter>", true, tool);
      }
      case KEYS_AND_VALUES -> {
        Expr between = Expr.sequence(markup("</arg_key>"), SPACE, markup("<arg_value>"));
        yield tagged("<arg_key>", between, between, "</arg_value>", false, tool);
      }
      case INVOKE -> {
        Expr end = Expr.literal("\">");
        yield tagged("<parameter name=\"", end, end, "</parameter>", false, tool);
      }
      case INVOKE_DSML ->
          tagged(
              "<" + DSML + "parameter name=\"",
              Expr.literal("\" string=\"true\">"),
              Expr.literal("\" string=\"false\">"),
              "</" + DSML + "parameter>",
              false,
              tool);
      default -> tool.json(rules);
    };
  }

  private Expr tagged(
      String beforeName,
      Expr beforeText,
      Expr beforeJson,
      String close,
      boolean trimsLines,
      ToolSchema tool) {
    var tags = new CallArguments.Tags(beforeName, beforeText, beforeJson, close, trimsLines);
    return new CallArguments(rules, controlTokens, tags).of(tool);
  }

  /** The arguments of a tool whose name was written before. */
  Expr argumentsOf(ToolSchema tool) {
    return arguments.getOrDefault(tool.name(), Expr.EMPTY);
  }

  /** One of the tools: its name and what follows it. */
  private Expr oneOf(Function<ToolSchema, Expr> call) {
    return Expr.choice(tools.stream().map(call).toList());
  }

  private Expr markup(String text) {
    return controlTokens.markup(text);
  }

  /**
   * What follows the marker of calls, with the closing one.
   *
   * @param several whether there may be more than one call
   */
  Expr block(Tag tag, boolean several) {
    Expr close = tag.close().isEmpty() ? Expr.EMPTY : markup(tag.close());
    return Expr.sequence(
        switch (notation) {
          case JSON, JSON_TOOL_NAME, JSON_NAME_AS_KEY -> {
            Expr call = rule("call", jsonCall());
            yield Expr.sequence(
                SPACE, Expr.choice(List.of(list(call, several), lines(call, several))), SPACE);
          }
          case FUNCTION_JSON ->
              oneOf(tool ->
                  Expr.sequence(Expr.literal(tool.name() + ">"), SPACE, argumentsOf(tool), SPACE));
          case FUNCTION_TAGS ->
              Expr.sequence(
                  SPACE,
                  oneOf(tool ->
                      Expr.sequence(
                          markup("<function="),
                          Expr.literal(tool.name() + ">"),
                          SPACE,
                          argumentsOf(tool),
                          markup("</function>"),
                          SPACE)));
          case KEYS_AND_VALUES ->
              Expr.sequence(
                  SPACE,
                  oneOf(
                      tool -> Expr.sequence(Expr.literal(tool.name()), SPACE, argumentsOf(tool))));
          case INVOKE -> invokes("", several);
          case INVOKE_DSML -> invokes(DSML, several);
          case BRACKETS -> repeated(brackets(), markup(tag.open()), several);
          case DEEPSEEK -> Expr.sequence(SPACE, repeated(deepSeek(), Expr.EMPTY, several));
          case KIMI -> Expr.sequence(SPACE, repeated(kimi(), Expr.EMPTY, several));
          case NAME_LINE, CHANNELS, PYTHON, GEMMA, OTHER ->
              throw new IllegalStateException("no block of calls in " + notation);
        },
        close);
  }

  private static Expr repeated(Expr call, Expr between, boolean several) {
    Expr more = new Expr.Repeat(Expr.sequence(between, call), 0, Expr.UNLIMITED);
    return several ? Expr.sequence(call, more) : call;
  }

  private static Expr list(Expr call, boolean several) {
    Expr more = Expr.sequence(Expr.literal(","), SPACE, call, SPACE);
    Expr rest = several ? new Expr.Repeat(more, 0, Expr.UNLIMITED) : Expr.EMPTY;
    return Expr.sequence(Expr.literal("["), SPACE, call, SPACE, rest, Expr.literal("]"));
  }

  private static Expr lines(Expr call, boolean several) {
    Expr more = Expr.sequence(Expr.literal("\n"), SPACE, call);
    return several ? Expr.sequence(call, new Expr.Repeat(more, 0, Expr.UNLIMITED)) : call;
  }

  /** An object that tells the name first. */
  Expr jsonCall() {
    Expr open = Expr.sequence(Expr.literal("{"), JsonText.SPACE);
    if (notation == CallNotation.JSON_NAME_AS_KEY) {
      return Expr.sequence(
          open,
          oneOf(tool ->
              Expr.sequence(
                  key(tool.name()), argumentsOf(tool), JsonText.SPACE, Expr.literal("}"))));
    }
    boolean cohere = notation == CallNotation.JSON_TOOL_NAME;
    Expr comma = Expr.sequence(Expr.literal(","), JsonText.SPACE);
    Expr id = Expr.sequence(key(cohere ? "tool_call_id" : "id"), JsonText.string(IDENTIFIER));
    Expr type = Expr.sequence(key("type"), Expr.literal("\"function\""));
    Expr lead =
        Expr.sequence(
            Expr.optional(Expr.sequence(id, comma)), Expr.optional(Expr.sequence(type, comma)));
    Expr end =
        Expr.sequence(Expr.optional(Expr.sequence(comma, id)), JsonText.SPACE, Expr.literal("}"));
    Expr argumentsKey =
        cohere ? key("parameters") : new Expr.Choice(List.of(key("arguments"), key("parameters")));
    return Expr.sequence(
        open,
        lead,
        key(cohere ? "tool_name" : "name"),
        oneOf(tool -> {
          Expr told = Expr.sequence(comma, argumentsKey, argumentsOf(tool));
          return Expr.sequence(
              Expr.literal(TextNode.valueOf(tool.name()).toString()),
              tool.mayBeEmpty() ? Expr.optional(told) : told);
        }),
        end);
  }

  private static Expr key(String name) {
    return Expr.sequence(Expr.literal(TextNode.valueOf(name) + ":"), JsonText.SPACE);
  }

  private Expr invokes(String prefix, boolean several) {
    Expr call =
        Expr.sequence(
            markup("<" + prefix + "invoke name=\""),
            oneOf(
                tool -> Expr.sequence(Expr.literal(tool.name() + "\">"), SPACE, argumentsOf(tool))),
            markup("</" + prefix + "invoke>"),
            SPACE);
    return Expr.sequence(SPACE, repeated(call, Expr.EMPTY, several));
  }

  private Expr brackets() {
    Expr id = Expr.sequence(markup("[CALL_ID]"), IDENTIFIER);
    return Expr.sequence(
        SPACE,
        oneOf(tool ->
            Expr.sequence(
                Expr.literal(tool.name()),
                Expr.optional(id),
                Expr.optional(markup("[ARGS]")),
                SPACE,
                argumentsOf(tool))),
        SPACE);
  }

  private Expr deepSeek() {
    List<Expr> calls = new ArrayList<>();
    for (ToolSchema tool : tools) {
      Expr fenced =
          Expr.sequence(
              Expr.literal("function"),
              markup("<｜tool▁sep｜>"),
              Expr.literal(tool.name() + "\n```json\n"),
              argumentsOf(tool),
              Expr.literal("\n```"));
      Expr bare =
          Expr.sequence(
              Expr.literal(tool.name()), markup("<｜tool▁sep｜>"), SPACE, argumentsOf(tool), SPACE);
      calls.add(new Expr.Choice(List.of(fenced, bare)));
    }
    return Expr.sequence(
        markup("<｜tool▁call▁begin｜>"), Expr.choice(calls), markup("<｜tool▁call▁end｜>"), SPACE);
  }

  private Expr kimi() {
    Expr digits = new Expr.Repeat(new Expr.Chars(CharSet.of('0', '9')), 1, 6);
    return Expr.sequence(
        markup("<|tool_call_begin|>"),
        SPACE,
        Expr.optional(Expr.literal("functions.")),
        oneOf(tool ->
            Expr.sequence(
                Expr.literal(tool.name()),
                Expr.optional(Expr.sequence(Expr.literal(":"), digits)),
                SPACE,
                markup("<|tool_call_argument_begin|>"),
                SPACE,
                argumentsOf(tool))),
        SPACE,
        markup("<|tool_call_end|>"),
        SPACE);
  }
}
