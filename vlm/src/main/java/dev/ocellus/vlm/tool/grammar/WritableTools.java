package dev.ocellus.vlm.tool.grammar;

import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.grammar.Grammar;
import dev.ocellus.vlm.grammar.GrammarException;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
import dev.ocellus.vlm.tool.AnswerFormat;
import dev.ocellus.vlm.tool.CallNotation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What of the offered tools a notation of calls can write. */
final class WritableTools {
  private WritableTools() {}

  /** Whether calls of all of them can be constrained. */
  static boolean areWritable(List<Tool> tools, AnswerFormat format) {
    return ToolGrammar.supports(format.notation())
        && tools.stream().allMatch(t -> t.name().codePoints().allMatch(CallBlocks.NAME::contains));
  }

  /**
   * What their arguments are constrained to.
   *
   * @throws JsonSchemaException if the schema of a tool that is strict is not supported
   */
  static List<ToolSchema> schemas(List<Tool> tools, CallNotation notation) {
    List<ToolSchema> schemas = new ArrayList<>();
    for (Tool tool : tools) {
      ToolSchema schema = schema(tool, notation);
      if (schema.isStrict() && schema.problem().isPresent()) {
        throw new JsonSchemaException(
            "",
            "the tool '%s' is strict, and its schema is not supported: %s"
                .formatted(tool.name(), schema.problem().get()));
      }
      schemas.add(schema);
    }
    return schemas;
  }

  /** The schema where the notation can write it; else any arguments. */
  static ToolSchema schema(Tool tool, CallNotation notation) {
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
}
