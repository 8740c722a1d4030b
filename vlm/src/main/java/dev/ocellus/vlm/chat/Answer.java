package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.sampling.TopLogProbs;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a model answered.
 *
 * @param text the whole answer as the model wrote it
 * @param tokens its tokens, without the one that ended it
 * @param stopReason why it ended
 * @param prompt the rendered prompt
 * @param promptTokens tokens of the prompt; -1 stands at every row of an image
 * @param usage token counts
 * @param timings where the time went
 * @param parts the answer taken apart
 */
public record Answer(
    String text,
    int[] tokens,
    StopReason stopReason,
    String prompt,
    int[] promptTokens,
    Usage usage,
    Timings timings,
    Parts parts) {

  /**
   * An answer taken apart.
   *
   * @param content what is for the reader: the text without reasoning and calls
   * @param reasoning what the model thought aloud before
   * @param toolCalls calls that it asks for, all complete; one that it did not finish, or that
   *     cannot be read, is part of the content
   * @param logProbs for each token, as far as they were asked for
   * @param continued the beginning of the message that the answer goes on with; empty for a new one
   */
  public record Parts(
      String content,
      String reasoning,
      List<ToolCall> toolCalls,
      List<TopLogProbs> logProbs,
      String continued) {
    public Parts {
      toolCalls = List.copyOf(toolCalls);
      logProbs = List.copyOf(logProbs);
    }

    static Parts ofText(String text) {
      return new Parts(text, "", List.of(), List.of(), "");
    }
  }

  /** An answer of text alone. */
  public Answer(
      String text,
      int[] tokens,
      StopReason stopReason,
      String prompt,
      int[] promptTokens,
      Usage usage,
      Timings timings) {
    this(text, tokens, stopReason, prompt, promptTokens, usage, timings, Parts.ofText(text));
  }

  /** What is for the reader. */
  public String content() {
    return parts.content;
  }

  /** What the model thought aloud. */
  public String reasoning() {
    return parts.reasoning;
  }

  /** Calls that the model asks for. */
  public List<ToolCall> toolCalls() {
    return parts.toolCalls;
  }

  /** The answer as a message. */
  public Message message() {
    return Message.assistant(parts.continued + parts.content, parts.reasoning, parts.toolCalls);
  }

  /** A conversation with this answer at its end, or with its last message completed by it. */
  public List<Message> addedTo(List<Message> messages) {
    int kept = parts.continued.isEmpty() ? messages.size() : messages.size() - 1;
    return Stream.concat(messages.subList(0, kept).stream(), Stream.of(message())).toList();
  }

  /** The same, with the number of messages that were dropped for it. */
  public Answer withEvictedMessages(int n) {
    return n == 0
        ? this
        : new Answer(
            text,
            tokens,
            stopReason,
            prompt,
            promptTokens,
            usage.withEvictedMessages(n),
            timings,
            parts);
  }
}
