package dev.ocellus.vlm.chat;

import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * One message of a conversation.
 *
 * @param role who says it
 * @param content its parts, in order
 * @param reasoning what a model thought before it answered; empty if nothing
 * @param toolCalls calls that a model asks for
 * @param toolCallId for the result of a tool: the call that it belongs to; empty if it is not known
 * @param toolName for the result of a tool: which one; empty if it is not known
 */
public record Message(
    Role role,
    List<Content> content,
    String reasoning,
    List<ToolCall> toolCalls,
    String toolCallId,
    String toolName) {
  public Message {
    content = List.copyOf(content);
    toolCalls = List.copyOf(toolCalls);
  }

  /** A message without reasoning or calls. */
  public Message(Role role, List<Content> content) {
    this(role, content, "", List.of(), "", "");
  }

  /** An answer with reasoning and calls. */
  public static Message assistant(String text, String reasoning, List<ToolCall> toolCalls) {
    return new Message(
        Role.ASSISTANT, List.of(new Content.Text(text)), reasoning, toolCalls, "", "");
  }

  /** What a tool gave back. */
  public static Message toolResult(ToolCall call, String result) {
    return new Message(
        Role.TOOL, List.of(new Content.Text(result)), "", List.of(), call.id(), call.name());
  }

  /** A message of text alone. */
  public static Message of(Role role, String text) {
    return new Message(role, List.of(new Content.Text(text)));
  }

  /** A system message. */
  public static Message system(String text) {
    return of(Role.SYSTEM, text);
  }

  /** An answer. */
  public static Message assistant(String text) {
    return of(Role.ASSISTANT, text);
  }

  /** A question about images, which come before it. */
  public static Message user(String text, RgbImage... images) {
    List<Content> parts = new ArrayList<>();
    for (RgbImage image : images) {
      parts.add(new Content.Image(image, ""));
    }
    parts.add(new Content.Text(text));
    return new Message(Role.USER, parts);
  }

  /** The same message with other parts. */
  public Message withContent(List<Content> parts) {
    return new Message(role, parts, reasoning, toolCalls, toolCallId, toolName);
  }

  /** All its text. */
  public String text() {
    StringBuilder text = new StringBuilder();
    for (Content part : content) {
      if (part instanceof Content.Text t) {
        text.append(t.text());
      }
    }
    return text.toString();
  }

  /** Its images and videos, in order. */
  public List<Visual> visuals() {
    return content.stream().map(Content::visual).filter(Objects::nonNull).toList();
  }

  /** Its images, in order. */
  public List<RgbImage> images() {
    List<RgbImage> images = new ArrayList<>();
    for (Content part : content) {
      if (part instanceof Content.Image i) {
        images.add(i.image());
      }
    }
    return images;
  }
}
