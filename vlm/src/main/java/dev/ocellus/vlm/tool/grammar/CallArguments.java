package dev.ocellus.vlm.tool.grammar;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Arguments that are written one by one between tags, text without quotes. */
final class CallArguments {
  /** Keywords that may stand beside the type of text that is written as it is. */
  private static final Set<String> OF_TEXT =
      Set.of("type", "enum", "const", "minLength", "maxLength", "pattern", "format");

  private static final GrammarExpr LINE_END = GrammarExpr.literal("\n");

  /**
   * The tags of an argument.
   *
   * @param beforeText what stands between a name and a value that is text
   * @param beforeJson what stands between a name and a value that is JSON
   * @param trimsLines whether a line end next to the tags is no part of a value
   */
  record Tags(
      String beforeName,
      GrammarExpr beforeText,
      GrammarExpr beforeJson,
      String close,
      boolean trimsLines) {}

  private final Map<String, GrammarExpr> rules;
  private final ControlTokens controlTokens;
  private final Tags tags;

  CallArguments(Map<String, GrammarExpr> rules, ControlTokens controlTokens, Tags tags) {
    this.rules = rules;
    this.controlTokens = controlTokens;
    this.tags = tags;
  }

  /**
   * All arguments of a tool, each with space behind it.
   *
   * @throws JsonSchemaException if the schema cannot be told in this way
   */
  GrammarExpr of(ToolSchema tool) {
    if (!tool.isSimple()) {
      throw new JsonSchemaException(
          "", "what stands beside 'properties' is not supported where arguments have tags");
    }
    List<GrammarExpr> items = new ArrayList<>();
    for (ToolSchema.Argument argument : tool.arguments()) {
      if (!argument.required() && !JsonSchemaGrammar.isPossible(argument.schema().toString())) {
        continue; // so it never comes
      }
      GrammarExpr value =
          argument.text()
              ? GrammarExpr.sequence(tags.beforeText, text(argument.schema()))
              : GrammarExpr.sequence(tags.beforeJson, json(argument.schema()));
      GrammarExpr item = argument(GrammarExpr.literal(argument.name()), value);
      items.add(argument.required() ? item : GrammarExpr.optional(item));
    }
    if (tool.isOpen()) {
      GrammarExpr.Chars letter = new GrammarExpr.Chars(CallBlocks.NAME);
      GrammarExpr name = new GrammarExpr.Repeat(letter, 1, 64);
      GrammarExpr anything = FreeText.without(rules, tags.close);
      GrammarExpr value = GrammarExpr.sequence(tags.beforeText, anything);
      items.add(new GrammarExpr.Repeat(argument(name, value), 0, GrammarExpr.UNLIMITED));
    }
    return new GrammarExpr.Sequence(items);
  }

  private GrammarExpr argument(GrammarExpr name, GrammarExpr value) {
    return GrammarExpr.sequence(
        controlTokens.markup(tags.beforeName),
        name,
        value,
        controlTokens.markup(tags.close),
        CallBlocks.SPACE);
  }

  private GrammarExpr json(JsonNode schema) {
    return GrammarExpr.sequence(
        CallBlocks.SPACE, JsonSchemaGrammar.addTo(rules, schema.toString()), CallBlocks.SPACE);
  }

  private GrammarExpr text(JsonNode schema) {
    boolean supported =
        schema
            .propertyStream()
            .map(Map.Entry::getKey)
            .allMatch(key -> OF_TEXT.contains(key) || JsonSchemaGrammar.isAnnotation(key));
    if (!supported) {
      throw new JsonSchemaException(
          "", "text beside other keywords is not supported where arguments have tags");
    }
    if (schema.has("enum") || schema.has("const")) {
      return constants(schema);
    }
    GrammarExpr strings = JsonSchemaGrammar.strings(schema.toString());
    if (strings == null) {
      throw new JsonSchemaException("", "no value is valid here");
    }
    if (strings.equals(
        new GrammarExpr.Repeat(new GrammarExpr.Chars(CharSet.ANY), 0, GrammarExpr.UNLIMITED))) {
      return FreeText.without(rules, tags.close);
    }
    return bounded(strings);
  }

  private GrammarExpr constants(JsonNode schema) {
    List<GrammarExpr> options = new ArrayList<>();
    List<JsonNode> values =
        schema.has("const")
            ? List.of(schema.path("const"))
            : schema.path("enum").valueStream().toList();
    Grammar valid = JsonSchemaGrammar.of(schema.toString()); // also by what stands beside them
    for (JsonNode value : values) {
      String text = value.asText();
      if (value.isTextual() && valid.matches(value.toString()) && !text.contains(tags.close)) {
        if (tags.trimsLines) {
          options.add(GrammarExpr.sequence(LINE_END, GrammarExpr.literal(text), LINE_END));
        }
        if (!tags.trimsLines || !text.startsWith("\n")) {
          options.add(GrammarExpr.literal(text));
        }
      }
    }
    if (options.isEmpty()) {
      throw new JsonSchemaException("", "no value can be written between tags");
    }
    return GrammarExpr.choice(options);
  }

  /** Strings that are counted or patterned cannot hold what tags begin with. */
  private GrammarExpr bounded(GrammarExpr strings) {
    CharSet first = CharSet.of(tags.close.charAt(0), tags.close.charAt(0));
    CharSet plain = first.complement();
    GrammarExpr whole = within(strings, plain);
    if (!tags.trimsLines) {
      return whole;
    }
    CharSet noLineEnds = plain.minus(CharSet.ofChars("\n"));
    GrammarExpr direct = within(strings, noLineEnds);
    if (strings instanceof GrammarExpr.Repeat(GrammarExpr.Chars body, int min, int max)
        && max > 0) {
      GrammarExpr rest =
          new GrammarExpr.Repeat(
              within(body, plain),
              Math.max(0, min - 1),
              max == GrammarExpr.UNLIMITED ? max : max - 1);
      direct = GrammarExpr.sequence(within(body, noLineEnds), rest);
      direct = min == 0 ? GrammarExpr.optional(direct) : direct;
    }
    return new GrammarExpr.Choice(List.of(GrammarExpr.sequence(LINE_END, whole, LINE_END), direct));
  }

  private static GrammarExpr within(GrammarExpr expr, CharSet allowed) {
    return switch (expr) {
      case GrammarExpr.Chars(CharSet set) -> new GrammarExpr.Chars(set.intersect(allowed));
      case GrammarExpr.Sequence(List<GrammarExpr> items) ->
          new GrammarExpr.Sequence(items.stream().map(item -> within(item, allowed)).toList());
      case GrammarExpr.Choice(List<GrammarExpr> options) ->
          new GrammarExpr.Choice(options.stream().map(option -> within(option, allowed)).toList());
      case GrammarExpr.Repeat(GrammarExpr body, int min, int max) ->
          new GrammarExpr.Repeat(within(body, allowed), min, max);
      case GrammarExpr.Token token -> token;
      case GrammarExpr.Tokens tokens -> tokens;
      case GrammarExpr.Reference reference -> reference;
    };
  }
}
