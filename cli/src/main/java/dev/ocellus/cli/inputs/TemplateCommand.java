package dev.ocellus.cli.inputs;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.OcellusException;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.options.ModelOpener;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.template.ChatTemplate;
import dev.ocellus.vlm.template.ContextJson;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.Span;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A chat as the model sees it. */
@Command(
    name = "template",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = TemplateCommand.HEADER,
    description = {
      "Three ways:",
      "  --messages: a conversation with a model's template, as it is decoded;",
      "  --template and --context: any template with any variables, printed exactly;",
      "  --batch: many of those, one JSON object a line."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus template -m model.gguf --mmproj mmproj.gguf --messages chat.json",
      "  ocellus template --template chat_template.jinja --context context.json --now 2025-07-26T12:34:56",
      "  ocellus template --batch cases.jsonl",
      "",
      "Exit codes: 0 done (a batch also when some of its lines are errors), 1 failed, 2 wrong command line."
    })
public final class TemplateCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Renders a conversation with a chat template.";

  /** Text of any kind survives as ASCII, lone surrogates included. */
  private static final JsonMapper ASCII =
      JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

  @Option(names = "--template", paramLabel = "FILE", description = "Template (- for stdin).")
  @Nullable String template;

  @Option(
      names = "--context",
      paramLabel = "FILE",
      description = "JSON object with the variables of the template.")
  @Nullable String context;

  @Option(
      names = "--now",
      paramLabel = "TIME",
      description =
          "Time that strftime_now formats, such as 2025-07-26T12:34:56. Default: the clock.")
  @Nullable String now;

  @Option(
      names = "--batch",
      paramLabel = "FILE",
      description =
          "Lines of {\"template\": text, \"context\": object, \"now\": time}; prints {\"output\": …} or {\"error\": …} for each.")
  @Nullable String batch;

  @Option(
      names = "--messages",
      paramLabel = "FILE",
      description = "Conversation in OpenAI's form, for the template of a model.")
  @Nullable String messages;

  @Option(
      names = "--spans",
      description = "Mark for each span whether the template or a message wrote it.")
  boolean spans;

  @Mixin ModelMixin model = new ModelMixin();

  public TemplateCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    int ways = (batch != null ? 1 : 0) + (template != null ? 1 : 0) + (messages != null ? 1 : 0);
    if (ways != 1) {
      throw usage("give one of --messages, --template (with --context) and --batch");
    }
    if (batch != null) {
      return batch(batch);
    }
    return template != null ? single(template) : conversation();
  }

  private int single(String file) throws IOException {
    if (context == null) {
      throw usage("--template needs --context");
    }
    if (file.equals("-") && context.equals("-")) {
      throw usage("standard input cannot be both the template and the context");
    }
    LocalDateTime time = checked(() -> time(now));
    Rendered rendered =
        ChatTemplate.compile(TextInput.read(io(), file))
            .render(ContextJson.parse(TextInput.read(io(), context)), time);
    if (printsJson()) {
      ObjectNode json = Json.object().put("output", rendered.text());
      json.set("spans", spans(rendered));
      printJson(json);
    } else {
      print(rendered);
    }
    return ExitCode.OK;
  }

  private int conversation() throws IOException {
    if (messages == null) {
      throw new IllegalStateException("no messages");
    }
    var conversation = TextInput.readMessages(io(), messages);
    try (var progress = progress();
        var interrupt = new Interrupt();
        VisionLanguageModel opened =
            ModelOpener.open(this, model.loadOptions(this), progress, interrupt)) {
      Rendered rendered = opened.render(conversation);
      if (printsJson()) {
        Prompt prompt = opened.prompt(conversation);
        ObjectNode json = Json.object().put("output", rendered.text());
        json.set("spans", spans(rendered));
        ArrayNode segments = json.putArray("segments");
        for (Segment segment : prompt.segments()) {
          switch (segment) {
            case Segment.Tokens(int[] ids) -> segments.addObject().set("tokens", Json.array(ids));
            case Segment.Image(int index) -> segments.addObject().put("image", index);
          }
        }
        printJson(json);
      } else {
        print(rendered);
      }
    }
    return ExitCode.OK;
  }

  private static ArrayNode spans(Rendered rendered) {
    ArrayNode array = Json.array();
    for (Span span : rendered.spans()) {
      array.addObject().put("origin", word(span.origin())).put("text", span.text());
    }
    return array;
  }

  private static String word(Origin origin) {
    return origin.name().toLowerCase(Locale.ROOT);
  }

  /** Exactly the text, so that a file of it can be compared; a terminal gets a last line end. */
  private void print(Rendered rendered) {
    var out = io().out();
    if (spans) {
      for (Span span : rendered.spans()) {
        out.println("%-9s %s".formatted(word(span.origin()), TextNode.valueOf(span.text())));
      }
      return;
    }
    out.print(rendered.text());
    if (io().outTerminal() && !rendered.text().endsWith("\n")) {
      out.println();
    }
  }

  private int batch(String file) throws IOException {
    try (BufferedReader lines = TextInput.lines(io(), file)) {
      Map<String, ChatTemplate> compiled =
          new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1;

            @Override
            protected boolean removeEldestEntry(Map.Entry<String, ChatTemplate> eldest) {
              return size() > 100;
            }
          };
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.isBlank()) {
          io().out().println(ASCII.writeValueAsString(batchLine(line, compiled)));
        }
      }
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return ExitCode.OK;
  }

  private ObjectNode batchLine(String line, Map<String, ChatTemplate> compiled) {
    try {
      if (!(ContextJson.parseValue(line) instanceof Map<?, ?> fields)
          || !(fields.get("template") instanceof String text)
          || !(fields.get("context") instanceof Map<?, ?> variables)) {
        throw new IllegalArgumentException(
            "expected an object with the string \"template\" and the object \"context\"");
      }
      Object own = fields.get("now");
      LocalDateTime time = time(own == null ? now : own.toString());
      Map<String, @Nullable Object> context = new LinkedHashMap<>();
      variables.forEach((key, value) -> context.put((String) key, value));
      String result =
          compiled.computeIfAbsent(text, ChatTemplate::compile).render(context, time).text();
      return Json.object().put("output", result);
    } catch (OcellusException | IllegalArgumentException e) {
      return Json.object().put("error", e.getMessage());
    }
  }

  private static LocalDateTime time(@Nullable String text) {
    if (text == null) {
      return LocalDateTime.now(ZoneId.systemDefault());
    }
    try {
      boolean zoned = text.endsWith("Z") || text.matches(".*T.*[+-]\\d\\d:?\\d\\d.*");
      return zoned ? ZonedDateTime.parse(text).toLocalDateTime() : LocalDateTime.parse(text);
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(
          "time (--now): expected ISO 8601 such as 2025-07-26T12:34:56, found '%s'".formatted(text),
          e);
    }
  }
}
