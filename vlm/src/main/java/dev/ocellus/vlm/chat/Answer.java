package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.sampling.TopLogProbs;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What a model answered. Immutable; equal to an answer with the same parts, tokens and times. */
public final class Answer {
  private final String rawText;
  private final int[] tokens;
  private final StopReason stopReason;
  private final String prompt;
  private final int[] promptTokens;
  private final Usage usage;
  private final Timings timings;
  private final Parts parts;

  /**
   * An answer taken apart.
   *
   * @param content what is for the reader: the text without reasoning and calls
   * @param reasoning what the model thought aloud before
   * @param toolCalls calls that it asks for, all complete; one that it did not finish, or that
   *     cannot be read, is part of the content
   * @param logProbs for each token, as far as they were asked for
   * @param continued the beginning of the message that the answer continues; empty for a new one
   * @param stopString the stop string that ended the answer; empty where something else did
   */
  public record Parts(
      String content,
      String reasoning,
      List<ToolCall> toolCalls,
      List<TopLogProbs> logProbs,
      String continued,
      String stopString) {
    public Parts {
      toolCalls = List.copyOf(toolCalls);
      logProbs = List.copyOf(logProbs);
    }

    static Parts ofText(String text) {
      return new Parts(text, "", List.of(), List.of(), "", "");
    }
  }

  /**
   * @param rawText as of {@link #rawText}
   * @param tokens as of {@link #tokens}
   * @param prompt the rendered prompt
   * @param promptTokens as of {@link #promptTokens}
   * @param parts the answer taken apart
   */
  public Answer(
      String rawText,
      int[] tokens,
      StopReason stopReason,
      String prompt,
      int[] promptTokens,
      Usage usage,
      Timings timings,
      Parts parts) {
    this.rawText = rawText;
    this.tokens = tokens.clone();
    this.stopReason = stopReason;
    this.prompt = prompt;
    this.promptTokens = promptTokens.clone();
    this.usage = usage;
    this.timings = timings;
    this.parts = parts;
  }

  /** An answer that was cancelled before its first token. */
  public static Answer cancelled(String prompt, Timings timings) {
    return new Answer(
        "",
        new int[0],
        StopReason.CANCELLED,
        prompt,
        new int[0],
        new Usage(0, 0, 0, 0),
        timings,
        Parts.ofText(""));
  }

  /**
   * The whole answer as the model wrote it, with its reasoning, its calls and the markers of both.
   * What is for the reader is {@link #content}.
   */
  public String rawText() {
    return rawText;
  }

  /** Its tokens, without the one that ended it; a copy. */
  public int[] tokens() {
    return tokens.clone();
  }

  /** Why it ended. */
  public StopReason stopReason() {
    return stopReason;
  }

  /** The rendered prompt. */
  public String prompt() {
    return prompt;
  }

  /** Tokens of the prompt, -1 at every image embedding; a copy. */
  public int[] promptTokens() {
    return promptTokens.clone();
  }

  /** Token counts. */
  public Usage usage() {
    return usage;
  }

  /** Where the time went. */
  public Timings timings() {
    return timings;
  }

  /** The answer taken apart. */
  public Parts parts() {
    return parts;
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
            rawText,
            tokens,
            stopReason,
            prompt,
            promptTokens,
            usage.withEvictedMessages(n),
            timings,
            parts);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Answer that
        && rawText.equals(that.rawText)
        && Arrays.equals(tokens, that.tokens)
        && stopReason == that.stopReason
        && prompt.equals(that.prompt)
        && Arrays.equals(promptTokens, that.promptTokens)
        && usage.equals(that.usage)
        && timings.equals(that.timings)
        && parts.equals(that.parts);
  }

  @Override
  public int hashCode() {
    return Objects.hash(rawText, Arrays.hashCode(tokens), stopReason, prompt, usage);
  }

  @Override
  public String toString() {
    return "Answer[%s, %d tokens, %s]".formatted(stopReason, tokens.length, parts.content);
  }
}
