package dev.ocellus.vlm.tool.grammar;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.schema.JsonText;
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
  static final GrammarExpr SPACE =
      new GrammarExpr.Repeat(new GrammarExpr.Chars(CharSet.ofChars(" \t\r\n")), 0, 20);

  private static final GrammarExpr IDENTIFIER =
      new GrammarExpr.Repeat(new GrammarExpr.Chars(NAME.union(CharSet.ofChars(":"))), 0, 64);

  private static final String DSML = "｜DSML｜";

  private final CallNotation notation;
  private final List<ToolSchema> tools;
  private final Map<String, GrammarExpr> rules;
  private final ControlTokens controlTokens;
  private final Map<String, GrammarExpr> arguments = new HashMap<>();

  CallBlocks(
      CallNotation notation,
      List<ToolSchema> tools,
      Map<String, GrammarExpr> rules,
      ControlTokens controlTokens) {
    this.notation = notation;
    this.tools = tools;
    this.rules = rules;
    this.controlTokens = controlTokens;
    for (ToolSchema tool : tools) {
      arguments.put(tool.name(), rule("arguments of " + tool.name(), arguments(tool)));
    }
  }

  private GrammarExpr rule(String name, GrammarExpr expr) {
    rules.put(name, expr);
    return GrammarExpr.ref(name);
  }

  private GrammarExpr arguments(ToolSchema tool) {
    return switch (notation) {
      case FUNCTION_TAGS -> {
        GrammarExpr end = GrammarExpr.literal(">");
        yield tagged("<parameter=", end, end, "</parameter>", true, tool);
      }
      case KEYS_AND_VALUES -> {
        GrammarExpr between =
            GrammarExpr.sequence(markup("</arg_key>"), SPACE, markup("<arg_value>"));
        yield tagged("<arg_key>", between, between, "</arg_value>", false, tool);
      }
      case INVOKE -> {
        GrammarExpr end = GrammarExpr.literal("\">");
        yield tagged("<parameter name=\"", end, end, "</parameter>", false, tool);
      }
      case INVOKE_DSML ->
          tagged(
              "<" + DSML + "parameter name=\"",
              GrammarExpr.literal("\" string=\"true\">"),
              GrammarExpr.literal("\" string=\"false\">"),
              "</" + DSML + "parameter>",
              false,
              tool);
      default -> tool.json(rules);
    };
  }

  private GrammarExpr tagged(
      String beforeName,
      GrammarExpr beforeText,
      GrammarExpr beforeJson,
      String close,
      boolean trimsLines,
      ToolSchema tool) {
    var tags = new CallArguments.Tags(beforeName, beforeText, beforeJson, close, trimsLines);
    return new CallArguments(rules, controlTokens, tags).of(tool);
  }

  /** The arguments of a tool whose name was written before. */
  GrammarExpr argumentsOf(ToolSchema tool) {
    return arguments.getOrDefault(tool.name(), GrammarExpr.EMPTY);
  }

  /** One of the tools: its name and what follows it. */
  private GrammarExpr oneOf(Function<ToolSchema, GrammarExpr> call) {
    return GrammarExpr.choice(tools.stream().map(call).toList());
  }

  private GrammarExpr markup(String text) {
    return controlTokens.markup(text);
  }

  /**
   * What follows the marker of calls, with the closing one.
   *
   * @param several whether there may be more than one call
   */
  GrammarExpr block(Tag tag, boolean several) {
    GrammarExpr close = tag.close().isEmpty() ? GrammarExpr.EMPTY : markup(tag.close());
    return GrammarExpr.sequence(
        switch (notation) {
          case JSON, JSON_TOOL_NAME, JSON_NAME_AS_KEY -> {
            GrammarExpr call = rule("call", jsonCall());
            yield GrammarExpr.sequence(
                SPACE,
                GrammarExpr.choice(List.of(list(call, several), lines(call, several))),
                SPACE);
          }
          case FUNCTION_JSON ->
              oneOf(tool ->
                  GrammarExpr.sequence(
                      GrammarExpr.literal(tool.name() + ">"), SPACE, argumentsOf(tool), SPACE));
          case FUNCTION_TAGS ->
              GrammarExpr.sequence(
                  SPACE,
                  oneOf(tool ->
                      GrammarExpr.sequence(
                          markup("<function="),
                          GrammarExpr.literal(tool.name() + ">"),
                          SPACE,
                          argumentsOf(tool),
                          markup("</function>"),
                          SPACE)));
          case KEYS_AND_VALUES ->
              GrammarExpr.sequence(
                  SPACE,
                  oneOf(tool ->
                      GrammarExpr.sequence(
                          GrammarExpr.literal(tool.name()), SPACE, argumentsOf(tool))));
          case INVOKE -> invokes("", several);
          case INVOKE_DSML -> invokes(DSML, several);
          case BRACKETS -> repeated(brackets(), markup(tag.open()), several);
          case DEEPSEEK ->
              GrammarExpr.sequence(SPACE, repeated(deepSeek(), GrammarExpr.EMPTY, several));
          case KIMI -> GrammarExpr.sequence(SPACE, repeated(kimi(), GrammarExpr.EMPTY, several));
          case NAME_LINE, CHANNELS, PYTHON, GEMMA, OTHER ->
              throw new IllegalStateException("no block of calls in " + notation);
        },
        close);
  }

  private static GrammarExpr repeated(GrammarExpr call, GrammarExpr between, boolean several) {
    GrammarExpr more =
        new GrammarExpr.Repeat(GrammarExpr.sequence(between, call), 0, GrammarExpr.UNLIMITED);
    return several ? GrammarExpr.sequence(call, more) : call;
  }

  private static GrammarExpr list(GrammarExpr call, boolean several) {
    GrammarExpr more = GrammarExpr.sequence(GrammarExpr.literal(","), SPACE, call, SPACE);
    GrammarExpr rest =
        several ? new GrammarExpr.Repeat(more, 0, GrammarExpr.UNLIMITED) : GrammarExpr.EMPTY;
    return GrammarExpr.sequence(
        GrammarExpr.literal("["), SPACE, call, SPACE, rest, GrammarExpr.literal("]"));
  }

  private static GrammarExpr lines(GrammarExpr call, boolean several) {
    GrammarExpr more = GrammarExpr.sequence(GrammarExpr.literal("\n"), SPACE, call);
    return several
        ? GrammarExpr.sequence(call, new GrammarExpr.Repeat(more, 0, GrammarExpr.UNLIMITED))
        : call;
  }

  /** An object that tells the name first. */
  GrammarExpr jsonCall() {
    GrammarExpr open = GrammarExpr.sequence(GrammarExpr.literal("{"), JsonText.SPACE);
    if (notation == CallNotation.JSON_NAME_AS_KEY) {
      return GrammarExpr.sequence(
          open,
          oneOf(tool ->
              GrammarExpr.sequence(
                  key(tool.name()), argumentsOf(tool), JsonText.SPACE, GrammarExpr.literal("}"))));
    }
    boolean cohere = notation == CallNotation.JSON_TOOL_NAME;
    GrammarExpr comma = GrammarExpr.sequence(GrammarExpr.literal(","), JsonText.SPACE);
    GrammarExpr id =
        GrammarExpr.sequence(key(cohere ? "tool_call_id" : "id"), JsonText.string(IDENTIFIER));
    GrammarExpr type = GrammarExpr.sequence(key("type"), GrammarExpr.literal("\"function\""));
    GrammarExpr lead =
        GrammarExpr.sequence(
            GrammarExpr.optional(GrammarExpr.sequence(id, comma)),
            GrammarExpr.optional(GrammarExpr.sequence(type, comma)));
    GrammarExpr end =
        GrammarExpr.sequence(
            GrammarExpr.optional(GrammarExpr.sequence(comma, id)),
            JsonText.SPACE,
            GrammarExpr.literal("}"));
    GrammarExpr argumentsKey =
        cohere
            ? key("parameters")
            : new GrammarExpr.Choice(List.of(key("arguments"), key("parameters")));
    return GrammarExpr.sequence(
        open,
        lead,
        key(cohere ? "tool_name" : "name"),
        oneOf(tool -> {
          GrammarExpr told = GrammarExpr.sequence(comma, argumentsKey, argumentsOf(tool));
          return GrammarExpr.sequence(
              GrammarExpr.literal(TextNode.valueOf(tool.name()).toString()),
              tool.mayBeEmpty() ? GrammarExpr.optional(told) : told);
        }),
        end);
  }

  private static GrammarExpr key(String name) {
    return GrammarExpr.sequence(GrammarExpr.literal(TextNode.valueOf(name) + ":"), JsonText.SPACE);
  }

  private GrammarExpr invokes(String prefix, boolean several) {
    GrammarExpr call =
        GrammarExpr.sequence(
            markup("<" + prefix + "invoke name=\""),
            oneOf(tool ->
                GrammarExpr.sequence(
                    GrammarExpr.literal(tool.name() + "\">"), SPACE, argumentsOf(tool))),
            markup("</" + prefix + "invoke>"),
            SPACE);
    return GrammarExpr.sequence(SPACE, repeated(call, GrammarExpr.EMPTY, several));
  }

  private GrammarExpr brackets() {
    GrammarExpr id = GrammarExpr.sequence(markup("[CALL_ID]"), IDENTIFIER);
    return GrammarExpr.sequence(
        SPACE,
        oneOf(tool ->
            GrammarExpr.sequence(
                GrammarExpr.literal(tool.name()),
                GrammarExpr.optional(id),
                GrammarExpr.optional(markup("[ARGS]")),
                SPACE,
                argumentsOf(tool))),
        SPACE);
  }

  private GrammarExpr deepSeek() {
    List<GrammarExpr> calls = new ArrayList<>();
    for (ToolSchema tool : tools) {
      GrammarExpr fenced =
          GrammarExpr.sequence(
              GrammarExpr.literal("function"),
              markup("<｜tool▁sep｜>"),
              GrammarExpr.literal(tool.name() + "\n```json\n"),
              argumentsOf(tool),
              GrammarExpr.literal("\n```"));
      GrammarExpr bare =
          GrammarExpr.sequence(
              GrammarExpr.literal(tool.name()),
              markup("<｜tool▁sep｜>"),
              SPACE,
              argumentsOf(tool),
              SPACE);
      calls.add(new GrammarExpr.Choice(List.of(fenced, bare)));
    }
    return GrammarExpr.sequence(
        markup("<｜tool▁call▁begin｜>"),
        GrammarExpr.choice(calls),
        markup("<｜tool▁call▁end｜>"),
        SPACE);
  }

  private GrammarExpr kimi() {
    GrammarExpr digits = new GrammarExpr.Repeat(new GrammarExpr.Chars(CharSet.of('0', '9')), 1, 6);
    return GrammarExpr.sequence(
        markup("<|tool_call_begin|>"),
        SPACE,
        GrammarExpr.optional(GrammarExpr.literal("functions.")),
        oneOf(tool ->
            GrammarExpr.sequence(
                GrammarExpr.literal(tool.name()),
                GrammarExpr.optional(GrammarExpr.sequence(GrammarExpr.literal(":"), digits)),
                SPACE,
                markup("<|tool_call_argument_begin|>"),
                SPACE,
                argumentsOf(tool))),
        SPACE,
        markup("<|tool_call_end|>"),
        SPACE);
  }
}
