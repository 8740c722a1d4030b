package dev.ocellus.vlm.embedding;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.Visual;
import java.util.ArrayList;
import java.util.List;

/**
 * The conversation in which an input of Qwen3-VL-Embedding stands: the instruction is the system
 * message, images come before the text, and an empty input is the word NULL.
 *
 * <p>The reference is {@code format_model_input} of the published usage code: <a
 * href="https://github.com/QwenLM/Qwen3-VL-Embedding/blob/main/src/models/qwen3_vl_embedding.py">qwen3_vl_embedding.py</a>.
 */
final class EmbeddingPrompt {
  private static final String DEFAULT_INSTRUCTION = "Represent the user's input.";
  private static final String NOTHING = "NULL";
  private static final int NEXT_LINE = 0x85;

  private EmbeddingPrompt() {}

  static List<Message> of(EmbeddingInput input) {
    List<Content> parts = new ArrayList<>();
    for (Visual visual : input.visuals()) {
      parts.add(
          switch (visual) {
            case RgbImage image -> new Content.Image(image, "");
            case Video video -> new Content.Video(video, "");
          });
    }
    if (!input.text().isEmpty()) {
      parts.add(new Content.Text(input.text()));
    }
    if (parts.isEmpty()) {
      parts.add(new Content.Text(NOTHING));
    }
    return List.of(Message.system(instruction(input.instruction())), new Message(Role.USER, parts));
  }

  /** A sentence that ends as one. */
  private static String instruction(String wanted) {
    String text = stripped(wanted);
    if (text.isEmpty()) {
      return DEFAULT_INSTRUCTION;
    }
    return isPunctuation(text.codePointBefore(text.length())) ? text : text + ".";
  }

  /** Without what Python takes as white space at the ends. */
  private static String stripped(String text) {
    int from = 0;
    int to = text.length();
    while (from < to && isSpace(text.charAt(from))) {
      from++;
    }
    while (to > from && isSpace(text.charAt(to - 1))) {
      to--;
    }
    return text.substring(from, to);
  }

  private static boolean isSpace(char c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == NEXT_LINE;
  }

  private static boolean isPunctuation(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }
}
