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
 * @param form what the content was: a string, which is one text here, or a list of parts
 * @param reasoning what a model thought before it answered; empty if nothing
 * @param toolCalls calls that a model asks for
 * @param toolCallId for the result of a tool: the call that it belongs to; empty if it is not known
 * @param toolName for the result of a tool: which one; empty if it is not known
 */
public record Message(
    Role role,
    List<Content> content,
    ContentForm form,
    String reasoning,
    List<ToolCall> toolCalls,
    String toolCallId,
    String toolName) {
  public Message {
    content = List.copyOf(content);
    toolCalls = List.copyOf(toolCalls);
    if (!form.fits(content)) {
      throw new IllegalArgumentException(
          "a message's content of the form %s cannot have %d part(s) like these"
              .formatted(form, content.size()));
    }
  }

  /** A message whose content is a list of parts. */
  public Message(
      Role role,
      List<Content> content,
      String reasoning,
      List<ToolCall> toolCalls,
      String toolCallId,
      String toolName) {
    this(role, content, ContentForm.PARTS, reasoning, toolCalls, toolCallId, toolName);
  }

  /** A message whose content is a list of parts, without reasoning or calls. */
  public Message(Role role, List<Content> content) {
    this(role, content, "", List.of(), "", "");
  }

  private static Message ofString(
      Role role, String text, String reasoning, List<ToolCall> calls, String callId, String tool) {
    return new Message(
        role, List.of(new Content.Text(text)), ContentForm.STRING, reasoning, calls, callId, tool);
  }

  /** An answer with reasoning and calls. */
  public static Message assistant(String text, String reasoning, List<ToolCall> toolCalls) {
    return ofString(Role.ASSISTANT, text, reasoning, toolCalls, "", "");
  }

  /** What a tool gave back. */
  public static Message toolResult(ToolCall call, String result) {
    return ofString(Role.TOOL, result, "", List.of(), call.id(), call.name());
  }

  /** A message whose content is a string. */
  public static Message of(Role role, String text) {
    return ofString(role, text, "", List.of(), "", "");
  }

  /** A system message. */
  public static Message system(String text) {
    return of(Role.SYSTEM, text);
  }

  /** An answer. */
  public static Message assistant(String text) {
    return of(Role.ASSISTANT, text);
  }

  /** A question: a string, or with images, which come before it, a list of parts. */
  public static Message user(String text, RgbImage... images) {
    List<Content> parts = new ArrayList<>();
    for (RgbImage image : images) {
      parts.add(new Content.Image(image, ""));
    }
    parts.add(new Content.Text(text));
    return user(parts);
  }

  /** A question of any parts: one text is a string, as if it had been typed. */
  public static Message user(List<Content> parts) {
    return parts.size() == 1 && parts.getFirst() instanceof Content.Text(String text)
        ? of(Role.USER, text)
        : new Message(Role.USER, parts);
  }

  /** The same message with other parts; it stays a string if it was one and they are one text. */
  public Message withContent(List<Content> parts) {
    ContentForm kept = form.fits(parts) ? form : ContentForm.PARTS;
    return new Message(role, parts, kept, reasoning, toolCalls, toolCallId, toolName);
  }

  /** The same message said by somebody else. */
  public Message withRole(Role other) {
    return new Message(other, content, form, reasoning, toolCalls, toolCallId, toolName);
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
