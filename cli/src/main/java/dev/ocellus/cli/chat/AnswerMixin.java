package dev.ocellus.cli.chat;

import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.OutputConstraint;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolChoice;
import dev.ocellus.vlm.grammar.schema.JsonSchemaGrammar;
import dev.ocellus.vlm.template.ContextJson;
import dev.ocellus.vlm.template.TemplateException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What an answer may consist of: grammars, schemas, tools, reasoning; llama.cpp's options. */
final class AnswerMixin {
  @Option(
      names = "--grammar",
      paramLabel = "TEXT",
      description = "The answer matches this grammar (GBNF).")
  @Nullable String grammar;

  @Option(
      names = "--grammar-file",
      paramLabel = "FILE",
      description = "The same, with the grammar from a file.")
  @Nullable Path grammarFile;

  @Option(
      names = {"-j", "--json-schema"},
      paramLabel = "TEXT",
      description = "The answer is JSON that this schema allows; {} for any.")
  @Nullable String jsonSchema;

  @Option(
      names = {"-jf", "--json-schema-file"},
      paramLabel = "FILE",
      description = "The same, with the schema from a file.")
  @Nullable Path jsonSchemaFile;

  @Option(
      names = "--grammar-trigger",
      paramLabel = "TEXT",
      description =
          "The grammar binds only from this text on, which it must begin with; repeatable.")
  List<String> triggers = List.of();

  @Option(
      names = "--grammar-trigger-pattern",
      paramLabel = "REGEX",
      description = "The same, with a regular expression; repeatable.")
  List<String> triggerPatterns = List.of();

  @Option(
      names = "--grammar-trigger-token",
      paramLabel = "TEXT",
      description = "The same, with a control token, which the grammar names; repeatable.")
  List<String> triggerTokens = List.of();

  @Option(
      names = "--tools",
      paramLabel = "FILE",
      description = "Tools that the model may call: a JSON list in OpenAI's form.")
  @Nullable Path tools;

  @Option(
      names = "--tool-choice",
      paramLabel = "auto|required|none|NAME",
      description =
          "Whether a tool is called: as the model wants, at least one, none, or this one. Default: auto.")
  @Nullable String toolChoice;

  @Option(
      names = "--tool-grammar",
      paramLabel = "on|off",
      description =
          "Whether calls are constrained to the tools and their schemas, where the model's notation allows it. Default: on.")
  @Nullable String toolGrammar;

  @Option(
      names = {"-rea", "--reasoning"},
      paramLabel = "on|off|auto",
      description =
          "Reasoning before the answer, where the chat template has a switch for it. Default: auto.")
  @Nullable String reasoning;

  @Option(
      names = "--chat-template-kwargs",
      paramLabel = "JSON",
      description = "Variables for the chat template: a JSON object.")
  @Nullable String templateArguments;

  @Option(
      names = {"--logprobs", "--n-probs"},
      paramLabel = "N",
      description =
          "With --json: the log probability of each token and of the N likeliest in its place. Default: -1, none.")
  @Range(min = -1)
  @Nullable Integer logProbs;

  /**
   * The options on top of others.
   *
   * @throws IllegalArgumentException for options that do not go together
   * @throws UncheckedIOException if a file cannot be read
   */
  GenerationOptions apply(GenerationOptions base) {
    GenerationOptions options =
        base.withPrompt(prompt(base.prompt())).withConstraint(constraint(base.constraint()));
    return logProbs == null ? options : options.withLogProbs(logProbs);
  }

  private PromptOptions prompt(PromptOptions base) {
    PromptOptions options = base;
    if (templateArguments != null) {
      for (Map.Entry<String, @Nullable Object> e : variables(templateArguments).entrySet()) {
        options = options.withTemplateArgument(e.getKey(), e.getValue());
      }
    }
    if (reasoning != null) {
      options =
          switch (reasoning) {
            case "on" -> options.withThinking(true);
            case "off" -> options.withThinking(false);
            case "auto" -> options;
            default ->
                throw new IllegalArgumentException(
                    "--reasoning: expected on, off or auto, found '" + reasoning + "'");
          };
    }
    return tools(options);
  }

  private PromptOptions tools(PromptOptions base) {
    PromptOptions options = tools == null ? base : base.withTools(Tool.parseList(read(tools)));
    if (toolGrammar != null) {
      if (!toolGrammar.equals("on") && !toolGrammar.equals("off")) {
        throw new IllegalArgumentException(
            "--tool-grammar: expected on or off, found '" + toolGrammar + "'");
      }
      options = options.withConstrainedCalls(toolGrammar.equals("on"));
    }
    if (toolChoice == null) {
      return options;
    }
    ToolChoice choice = ToolChoice.parse(toolChoice);
    boolean offered =
        choice instanceof ToolChoice.Named(String name)
            ? options.tools().stream().anyMatch(tool -> tool.name().equals(name))
            : !options.tools().isEmpty() || !choice.requiresCall();
    if (!offered) {
      throw new IllegalArgumentException(
          "--tool-choice: expected auto, required, none or a tool of --tools %s, found '%s'"
              .formatted(options.tools().stream().map(Tool::name).toList(), toolChoice));
    }
    return options.withToolChoice(choice);
  }

  private static Map<String, @Nullable Object> variables(String json) {
    try {
      return ContextJson.parse(json);
    } catch (TemplateException e) {
      throw new IllegalArgumentException("--chat-template-kwargs: " + e.getMessage(), e);
    }
  }

  private OutputConstraint constraint(OutputConstraint base) {
    String gbnf = either("--grammar", grammar, grammarFile);
    String schema = either("--json-schema", jsonSchema, jsonSchemaFile);
    if (gbnf != null && schema != null) {
      throw new IllegalArgumentException(
          "a grammar and a schema both say what the answer is; use one of them");
    }
    var trigger = new OutputConstraint.Trigger(triggers, triggerPatterns, triggerTokens);
    if (!trigger.equals(OutputConstraint.Trigger.ALWAYS) && gbnf == null) {
      throw new IllegalArgumentException("--grammar-trigger needs a grammar (--grammar)");
    }
    if (schema != null) {
      JsonSchemaGrammar.of(schema); // before a model is loaded for nothing
      return new OutputConstraint.JsonSchema(schema);
    }
    return gbnf == null ? base : new OutputConstraint.Gbnf(gbnf, trigger);
  }

  private static @Nullable String either(String name, @Nullable String text, @Nullable Path file) {
    if (text != null && file != null) {
      throw new IllegalArgumentException(
          "%s and %s-file both give it; use one of them".formatted(name, name));
    }
    return file == null ? text : read(file);
  }

  private static String read(Path file) {
    try {
      return TextInput.read(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
