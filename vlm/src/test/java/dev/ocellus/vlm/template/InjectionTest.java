package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.ocellus.OcellusException;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.grammar.TestVocabulary;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.prompt.PromptTokenizer;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.Span;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Texts of control tokens and image markers from outside make no control token and no image
 * position, wherever they stand in a conversation: templates × tokens × positions.
 *
 * <p>What is expected is the prompt with every character from outside replaced by an x: its control
 * tokens and image positions are the template's own. With images written as in an answer, there are
 * as many positions as images.
 *
 * <p>The committed run takes the bundled templates, one vocabulary, and all its control tokens at
 * once and some one by one. {@code -Docellus.templates=DIR} takes the templates of a directory,
 * {@code -Docellus.vocabularies=DIR} all ggml-vocab-*.gguf of one, each token by itself.
 */
class InjectionTest {
  private static final System.Logger LOG = System.getLogger("injection");
  private static final String MARKER = "<image>";

  /** Of more images than any conversation here has. */
  private static final List<ImagePlaceholder> PLACES =
      Collections.nCopies(16, new ImagePlaceholder(MARKER, "<|user|>", "", MARKER));

  /** Tokens that are tried by themselves in the committed run. */
  private static final int SINGLES = 2;

  private record Attempt(List<Message> messages, PromptOptions options) {}

  private static final RgbImage IMAGE = RgbImage.filled(2, 2, new Rgb(1, 2, 3));

  private final Map<String, Integer> rendered = new TreeMap<>();

  /** Of conversations with images in which input had the marker: how many found all of them. */
  private int markersBesidePictures;

  /** Prompts without a place for images, though they were written into the text. */
  private final List<String> unplaced = new ArrayList<>();

  private int tried;

  /** A conversation with the text in each place that input has. */
  private static Map<String, Attempt> attempts(String text) {
    PromptOptions none = PromptOptions.defaults();
    ToolCall call = new ToolCall("call00001", "weather", "{\"city\": \"Rome\"}");
    String quoted = TextNode.valueOf(text).toString();
    ToolCall forged = new ToolCall("call00001", "weather", "{\"city\": " + quoted + "}");
    Map<String, Attempt> attempts = new TreeMap<>();
    attempts.put("user", new Attempt(List.of(Message.user(text)), none));
    attempts.put(
        "around images",
        new Attempt(
            List.of(
                new Message(
                    Role.USER,
                    List.of(
                        new Content.Text(text),
                        new Content.Image(IMAGE, "a"),
                        new Content.Text(text),
                        new Content.Image(IMAGE, "b"),
                        new Content.Text(text)))),
            none));
    attempts.put(
        "history with a image",
        new Attempt(
            List.of(Message.user(text, IMAGE), Message.assistant(text), Message.user(text, IMAGE)),
            none));
    attempts.put(
        "source of a image",
        new Attempt(
            List.of(
                new Message(
                    Role.USER,
                    List.of(new Content.Image(IMAGE, text), new Content.Text("a" + MARKER)))),
            none));
    attempts.put("system", new Attempt(List.of(Message.system(text), Message.user("a")), none));
    attempts.put(
        "history",
        new Attempt(List.of(Message.user("a"), Message.assistant(text), Message.user("b")), none));
    attempts.put(
        "reasoning",
        new Attempt(
            List.of(Message.user("a"), Message.assistant("c", text, List.of()), Message.user("b")),
            none));
    attempts.put(
        "beginning of the answer",
        new Attempt(List.of(Message.user("a"), Message.assistant(text)), none));
    attempts.put(
        "tool result",
        new Attempt(
            List.of(
                Message.user("a"),
                Message.assistant("", "", List.of(call)),
                Message.toolResult(call, text)),
            none));
    attempts.put(
        "argument",
        new Attempt(
            List.of(
                Message.user("a"),
                Message.assistant("", "", List.of(forged)),
                Message.toolResult(call, "b")),
            none));
    attempts.put(
        "tool name",
        new Attempt(
            List.of(
                Message.user("a"),
                Message.assistant("", "", List.of(new ToolCall("call00001", text, "{}"))),
                new Message(Role.TOOL, List.of(new Content.Text("b")), "", List.of(), text, text)),
            none));
    Tool tool =
        Tool.parseList(
                "[{\"type\": \"function\", \"function\": {\"name\": \"weather\", \"description\": "
                    + quoted
                    + ", \"parameters\": {\"type\": \"object\", \"properties\": {"
                    + quoted
                    + ": {\"type\": \"string\", \"description\": "
                    + quoted
                    + "}}}}}]")
            .getFirst();
    attempts.put(
        "tool definition", new Attempt(List.of(Message.user("a")), none.withTools(List.of(tool))));
    attempts.put(
        "template argument",
        new Attempt(
            List.of(Message.user("a")),
            none.withTemplateArgument("documents", List.of(Map.of("title", text, "text", text)))));
    return attempts;
  }

  private void tryAll(ChatFormat format, PromptTokenizer tokenizer, Vocab vocab, String text) {
    attempts(text)
        .forEach((position, attempt) -> {
          tried++;
          Message continued = attempt.options.continued(attempt.messages);
          List<Message> messages =
              continued == null
                  ? attempt.messages
                  : attempt.messages.subList(0, attempt.messages.size() - 1);
          int images = messages.stream().mapToInt(m -> m.visuals().size()).sum();
          // as an answer does it: the template's own way, else what most templates take
          for (ChatFormat.Shown way : ChatFormat.Shown.values()) {
            Rendered prompt;
            try {
              prompt = format.render(messages, attempt.options, way, visual -> MARKER);
            } catch (TemplateException | PromptException refused) {
              continue;
            }
            if (continued != null) {
              prompt = prompt.followedBy(continued.text());
            }
            Prompt tokens = tokenizer.tokenize(prompt, PLACES);
            List<Integer> found = controls(tokens, vocab);
            List<Integer> expected =
                controls(tokenizer.tokenize(withoutInput(prompt), PLACES), vocab);
            assertThat(found).as("%s, %s: %s", position, way, text).isEqualTo(expected);
            assertThat(tokens.nImages())
                .as("images; %s, %s: %s", position, way, text)
                .isIn(0, images);
            if (way == ChatFormat.Shown.PARTS) {
              rendered.merge(position, 1, Integer::sum);
            }
            if (images > 0 && tokens.nImages() == images) {
              markersBesidePictures += withMarker(prompt) ? 1 : 0;
            }
            if (tokens.nImages() == images) {
              return;
            }
            if (way == ChatFormat.Shown.TEXT) {
              unplaced.add(position + ": " + prompt.text());
            }
          }
        });
  }

  /** Whether a prompt has the marker in text from outside. */
  private static boolean withMarker(Rendered prompt) {
    return prompt.spans().stream()
        .anyMatch(span -> span.origin() == Origin.INPUT && span.text().contains(MARKER));
  }

  private static Rendered withoutInput(Rendered prompt) {
    List<Span> spans = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (Span span : prompt.spans()) {
      String shown = span.origin() == Origin.INPUT ? "x".repeat(span.text().length()) : span.text();
      spans.add(new Span(shown, span.origin()));
      text.append(shown);
    }
    return new Rendered(text.toString(), spans);
  }

  /** Control tokens, and −1 for each image position, in order. */
  private static List<Integer> controls(Prompt prompt, Vocab vocab) {
    List<Integer> found = new ArrayList<>();
    for (Segment segment : prompt.segments()) {
      switch (segment) {
        case Segment.Image image -> found.add(-1);
        case Segment.Tokens(int[] ids) ->
            Arrays.stream(ids).filter(vocab::isControl).forEach(found::add);
      }
    }
    return found;
  }

  private void tryTemplates(TestVocabulary real, boolean eachToken) {
    Vocab vocab = real.vocab();
    var tokenizer = new PromptTokenizer(vocab, Set.of(MARKER));
    List<String> tokens = new ArrayList<>();
    vocab.specialTokens().forEach(token -> tokens.add(token.text()));
    tokens.add(MARKER);
    Map<String, String> templates = new TreeMap<>();
    Corpus.selected()
        .renderings()
        .forEach(c -> templates.put(c.name().split(" / ", 2)[0], c.template()));
    assertThat(templates.size()).isGreaterThan(10);
    templates.forEach((name, source) -> {
      ChatFormat format;
      try {
        format = new ChatFormat(source, "<s>", "</s>");
      } catch (TemplateException e) {
        throw new AssertionError(name, e);
      }
      tryAll(format, tokenizer, vocab, "a " + String.join(" b", tokens) + "c");
      tryAll(format, tokenizer, vocab, String.join("", tokens));
      tryAll(format, tokenizer, vocab, MARKER);
      int step = eachToken ? 1 : Math.max(1, tokens.size() / SINGLES);
      for (int i = 0; i < tokens.size(); i += step) {
        tryAll(format, tokenizer, vocab, tokens.get(i));
      }
    });
  }

  /** Every vocabulary of a directory that text models here can have; others are named. */
  private void tryVocabularies(Path directory) throws IOException {
    List<Path> vocabularies;
    try (Stream<Path> files = Files.list(directory)) {
      vocabularies =
          files
              .filter(f -> f.getFileName().toString().matches("ggml-vocab-.*\\.gguf"))
              .sorted()
              .toList();
    }
    assertThat(vocabularies).as("vocabularies in %s", directory).isNotEmpty();
    for (Path file : vocabularies) {
      int before = tried;
      String result;
      try (TestVocabulary real = TestVocabulary.open(file)) {
        tryTemplates(real, true);
        result =
            "%d special tokens, %d tried"
                .formatted(real.vocab().specialTokens().size(), tried - before);
      } catch (OcellusException refused) {
        result = "no model with it can be opened: " + refused.getMessage();
      }
      LOG.log(System.Logger.Level.INFO, file.getFileName() + ": " + result);
    }
  }

  @Test
  void makesNoControlTokenAndNoImagePositionOfInput() throws IOException {
    String directory = System.getProperty("ocellus.vocabularies");
    if (directory == null) {
      try (TestVocabulary real = TestVocabulary.open()) {
        tryTemplates(real, false);
      }
    } else {
      tryVocabularies(Path.of(directory));
    }
    LOG.log(
        System.Logger.Level.INFO,
        String.format(
            Locale.ROOT,
            "%d tried, rendered %s, %d with markers beside images",
            tried,
            rendered,
            markersBesidePictures));
    assertThat(rendered.keySet()).hasSize(13);
    assertThat(markersBesidePictures).isGreaterThan(100);
    assertThat(unplaced).isEmpty();
    assertThat(rendered.values().stream().mapToInt(Integer::intValue).sum())
        .isGreaterThan(tried / 2);
  }
}
