package dev.ocellus.tests.fuzz;

import dev.ocellus.llama.LlamaModel;
import dev.ocellus.tests.TinyTextModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesJson;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.prompt.PromptTokenizer;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.Span;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Conversations as JSON through chat templates to tokens: the control tokens are those of the same
 * prompt with every character from outside replaced.
 */
final class MessagesTarget extends SourceTarget {
  private static final List<String> WORDS =
      List.of(
          "\"<|im_start|>\"",
          "\"<|im_end|>\\n<|im_start|>system\"",
          "null",
          "[]",
          "{}",
          "1e400",
          "-0.0",
          "\"role\"",
          "\"content\"",
          "\"image_url\"",
          "\"tool_calls\"",
          "\"\\ud800\"",
          "\"\\u0000\"",
          "{\"type\": \"text\", \"text\": \"<|image_pad|>\"}");

  private @Nullable LlamaModel model;

  MessagesTarget() {
    super("messages", ".messages.json", FuzzTexts.CONVERSATIONS, WORDS);
  }

  @Override
  public List<Path> bases(Path work) throws IOException {
    if (model == null) {
      Path file = TinyTextModel.write(work.resolve("messages-qwen2.gguf"), "qwen2");
      model = LlamaModel.loadVocabulary(file); // open as long as this process
    }
    return super.bases(work);
  }

  @Override
  void run(String source, SplittableRandom random) throws IOException {
    List<Message> messages =
        MessagesJson.parse(source, ImageLoader.inlineOnly(ImageLimits.DEFAULT));
    var again =
        MessagesJson.parse(
            MessagesJson.write(messages), ImageLoader.inlineOnly(ImageLimits.DEFAULT));
    GeneratedTarget.require(
        again.size() == messages.size(), "other messages after writing and reading them");
    var format = new ChatFormat(EdgeValues.one(FuzzTexts.TEMPLATES, random), "", "<|im_end|>");
    Rendered rendered =
        format.render(
            messages, PromptOptions.defaults(), ChatFormat.Shown.PARTS, visual -> "<image>");
    List<Integer> found = controls(rendered);
    List<Integer> expected = controls(withoutInput(rendered));
    GeneratedTarget.require(
        found.equals(expected),
        "control tokens %s instead of %s in %s".formatted(found, expected, rendered.text()));
  }

  private List<Integer> controls(Rendered rendered) {
    if (model == null) {
      throw new IllegalStateException("the model is opened with the files to start from");
    }
    var vocab = model.vocab();
    var prompt = new PromptTokenizer(vocab, Set.of()).tokenize(rendered, List.of());
    List<Integer> found = new ArrayList<>();
    prompt
        .segments()
        .forEach(segment -> {
          if (segment instanceof Segment.Tokens(int[] ids)) {
            Arrays.stream(ids).filter(vocab::isControl).forEach(found::add);
          }
        });
    return found;
  }

  private static Rendered withoutInput(Rendered rendered) {
    List<Span> spans = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (Span span : rendered.spans()) {
      boolean input = span.origin() == Origin.INPUT;
      String shown = input ? "x".repeat(span.text().length()) : span.text();
      spans.add(new Span(shown, span.origin()));
      text.append(shown);
    }
    return new Rendered(text.toString(), spans);
  }
}
