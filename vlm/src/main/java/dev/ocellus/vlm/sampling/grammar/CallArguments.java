package dev.ocellus.vlm.sampling.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Arguments that are written one by one between tags, text without quotes. */
final class CallArguments {
  /** Keywords that may stand beside the type of text that is written as it is. */
  private static final Set<String> OF_TEXT =
      Set.of("type", "enum", "const", "minLength", "maxLength", "pattern", "format");

  private static final Expr LINE_END = Expr.literal("\n");

  /**
   * The tags of an argument.
   *
   * @param beforeText what stands between a name and a value that is text
   * @param beforeJson what stands between a name and a value that is JSON
   * @param trimsLines whether a line end next to the tags is no part of a value
   */
  record Tags(
      String beforeName, Expr beforeText, Expr beforeJson, String close, boolean trimsLines) {}

  private final Map<String, Expr> rules;
  private final ControlTokens controlTokens;
  private final Tags tags;

  CallArguments(Map<String, Expr> rules, ControlTokens controlTokens, Tags tags) {
    this.rules = rules;
    this.controlTokens = controlTokens;
    this.tags = tags;
  }

  /**
   * All arguments of a tool, each with space behind it.
   *
   * @throws JsonSchemaException if the schema cannot be told in this way
   */
  Expr of(ToolSchema tool) {
    if (!tool.isSimple()) {
      throw new JsonSchemaException(
          "", "what stands beside 'properties' is not supported where arguments have tags");
    }
    List<Expr> items = new ArrayList<>();
    for (ToolSchema.Argument argument : tool.arguments()) {
      Expr value =
          argument.text()
              ? Expr.sequence(tags.beforeText, text(argument.schema()))
              : Expr.sequence(tags.beforeJson, json(argument.schema()));
      Expr item = argument(Expr.literal(argument.name()), value);
      items.add(argument.required() ? item : Expr.optional(item));
    }
    if (tool.isOpen()) {
      Expr.Chars letter = new Expr.Chars(CallBlocks.NAME);
      Expr name = new Expr.Repeat(letter, 1, 64);
      Expr anything = FreeText.without(rules, tags.close);
      Expr value = Expr.sequence(tags.beforeText, anything);
      items.add(new Expr.Repeat(argument(name, value), 0, Expr.UNLIMITED));
    }
    return new Expr.Sequence(items);
  }

  private Expr argument(Expr name, Expr value) {
    return Expr.sequence(
        controlTokens.markup(tags.beforeName),
        name,
        value,
        controlTokens.markup(tags.close),
        CallBlocks.SPACE);
  }

  private Expr json(JsonNode schema) {
    return Expr.sequence(CallBlocks.SPACE, SchemaCompiler.add(schema, rules), CallBlocks.SPACE);
  }

  private Expr text(JsonNode schema) {
    boolean supported =
        schema
            .propertyStream()
            .map(Map.Entry::getKey)
            .allMatch(key -> OF_TEXT.contains(key) || SchemaKeywords.isAnnotation(key));
    if (!supported) {
      throw new JsonSchemaException(
          "", "text beside other keywords is not supported where arguments have tags");
    }
    if (schema.has("enum") || schema.has("const")) {
      return constants(schema);
    }
    Expr strings = SchemaStrings.of(schema, "");
    if (strings == null) {
      throw new JsonSchemaException("", "no value is valid here");
    }
    if (strings.equals(new Expr.Repeat(new Expr.Chars(CharSet.ANY), 0, Expr.UNLIMITED))) {
      return FreeText.without(rules, tags.close);
    }
    return bounded(strings);
  }

  private Expr constants(JsonNode schema) {
    List<Expr> options = new ArrayList<>();
    List<JsonNode> values =
        schema.has("const")
            ? List.of(schema.path("const"))
            : schema.path("enum").valueStream().toList();
    Grammar valid = Grammar.ofJsonSchema(schema.toString()); // also by what stands beside them
    for (JsonNode value : values) {
      String text = value.asText();
      if (value.isTextual() && valid.matches(value.toString()) && !text.contains(tags.close)) {
        if (tags.trimsLines) {
          options.add(Expr.sequence(LINE_END, Expr.literal(text), LINE_END));
        }
        if (!tags.trimsLines || !text.startsWith("\n")) {
          options.add(Expr.literal(text));
        }
      }
    }
    if (options.isEmpty()) {
      throw new JsonSchemaException("", "no value can be written between tags");
    }
    return Expr.choice(options);
  }

  /** Strings that are counted or patterned cannot hold what tags begin with. */
  private Expr bounded(Expr strings) {
    CharSet first = CharSet.of(tags.close.charAt(0), tags.close.charAt(0));
    CharSet plain = first.complement();
    Expr whole = within(strings, plain);
    if (!tags.trimsLines) {
      return whole;
    }
    CharSet noLineEnds = plain.minus(CharSet.ofChars("\n"));
    Expr direct = within(strings, noLineEnds);
    if (strings instanceof Expr.Repeat(Expr.Chars body, int min, int max) && max > 0) {
      Expr rest =
          new Expr.Repeat(
              within(body, plain), Math.max(0, min - 1), max == Expr.UNLIMITED ? max : max - 1);
      direct = Expr.sequence(within(body, noLineEnds), rest);
      direct = min == 0 ? Expr.optional(direct) : direct;
    }
    return new Expr.Choice(List.of(Expr.sequence(LINE_END, whole, LINE_END), direct));
  }

  private static Expr within(Expr expr, CharSet allowed) {
    return switch (expr) {
      case Expr.Chars(CharSet set) -> new Expr.Chars(set.intersect(allowed));
      case Expr.Sequence(List<Expr> items) ->
          new Expr.Sequence(items.stream().map(item -> within(item, allowed)).toList());
      case Expr.Choice(List<Expr> options) ->
          new Expr.Choice(options.stream().map(option -> within(option, allowed)).toList());
      case Expr.Repeat(Expr body, int min, int max) ->
          new Expr.Repeat(within(body, allowed), min, max);
      case Expr.Token token -> token;
      case Expr.Tokens tokens -> tokens;
      case Expr.Reference reference -> reference;
    };
  }
}
