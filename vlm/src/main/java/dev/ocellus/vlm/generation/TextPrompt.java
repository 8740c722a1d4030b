package dev.ocellus.vlm.generation;

import dev.ocellus.OcellusException;
import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.prompt.PromptTokenizer;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The tokens before an image, as Janus' processor makes them: the text as a user's message, and the
 * token that begins an image; and the same with the text hidden, for guidance.
 */
final class TextPrompt {
  private static final String BEGIN = "<begin_of_image>";
  private static final String PADDING = "tokenizer.ggml.padding_token_id";

  private final Vocab vocab;
  private final ChatFormat format;
  private final int begin;
  private final int padding;

  private TextPrompt(Vocab vocab, ChatFormat format, int begin, int padding) {
    this.vocab = vocab;
    this.format = format;
    this.begin = begin;
    this.padding = padding;
  }

  /**
   * @throws OcellusException if the text model has not the tokens that it needs
   */
  static TextPrompt of(GgufMetadata metadata, Vocab vocab, Object model) {
    int begin =
        vocab.specialTokens().stream()
            .filter(token -> token.text().equals(BEGIN))
            .mapToInt(Vocab.SpecialToken::id)
            .findFirst()
            .orElseThrow(() ->
                new OcellusException(
                        "%s has no token '%s', so it draws no images. Take the text model of a Janus checkpoint."
                            .formatted(model, BEGIN))
                    .about(Setting.MODEL));
    int padding = metadata.int32(PADDING, -1);
    if (padding < 0 || padding >= vocab.nTokens()) {
      throw new OcellusException(
              "%s: %s: expected the id of the padding token, which stands for the hidden text, found %d"
                  .formatted(model, PADDING, padding))
          .about(Setting.MODEL);
    }
    String template =
        metadata
            .findString("tokenizer.chat_template")
            .orElseThrow(() ->
                new OcellusException(
                        "%s has no chat template, by which texts are prompts".formatted(model))
                    .about(Setting.MODEL));
    return new TextPrompt(vocab, new ChatFormat(template, "", ""), begin, padding);
  }

  /** The tokens of a text. */
  int[] tokens(String text) {
    Rendered rendered =
        format.render(
            List.of(Message.user(text)),
            PromptOptions.defaults(),
            ChatFormat.Shown.PARTS,
            image -> "");
    List<Integer> ids = new ArrayList<>();
    for (Segment segment :
        new PromptTokenizer(vocab, Set.of()).tokenize(begun(rendered), List.of()).segments()) {
      if (segment instanceof Segment.Tokens tokens) {
        IntStream.of(tokens.ids()).forEach(ids::add);
      }
    }
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }

  private static Rendered begun(Rendered rendered) {
    List<Span> spans = new ArrayList<>(rendered.spans());
    String before = "";
    if (!spans.isEmpty() && spans.getLast().origin() == Origin.TEMPLATE) {
      before = spans.removeLast().text();
    }
    spans.add(new Span(before + BEGIN, Origin.TEMPLATE));
    return new Rendered(rendered.text() + BEGIN, spans);
  }

  /** The same length with everything hidden but the first token and the one that begins. */
  int[] hidden(int[] tokens) {
    return IntStream.of(tokens)
        .map(id -> id == begin || id == vocab.bos() ? id : padding)
        .toArray();
  }
}
