package dev.ocellus.springai;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.SystemMessage;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.messages.UserMessage;

/** Messages of Spring AI as those of a conversation. */
final class PromptMessages {
  private final MediaReader media;

  PromptMessages(MediaReader media) {
    this.media = media;
  }

  List<Message> of(List<org.springframework.ai.chat.messages.Message> messages) {
    List<Message> all = new ArrayList<>();
    for (org.springframework.ai.chat.messages.Message message : messages) {
      add(message, all);
    }
    return all;
  }

  private void add(org.springframework.ai.chat.messages.Message message, List<Message> all) {
    switch (message) {
      case SystemMessage m -> all.add(Message.system(text(m.getText())));
      case UserMessage m -> all.add(Message.user(contents(m)));
      case AssistantMessage m -> all.add(answer(m));
      case ToolResponseMessage m -> m.getResponses().forEach(r -> all.add(result(r)));
      default -> all.add(Message.of(role(message), text(message.getText())));
    }
  }

  /** Of kinds of messages that applications make themselves. */
  private static Role role(org.springframework.ai.chat.messages.Message message) {
    return Role.of(message.getMessageType().getValue());
  }

  /** The images come before the text, as models were trained. */
  private List<Content> contents(UserMessage message) {
    List<Content> parts = new ArrayList<>();
    message.getMedia().forEach(m -> parts.addAll(media.contents(m)));
    String text = text(message.getText());
    if (!text.isEmpty() || parts.isEmpty()) {
      parts.add(new Content.Text(text));
    }
    return parts;
  }

  private static Message answer(AssistantMessage message) {
    List<ToolCall> calls = new ArrayList<>();
    for (AssistantMessage.ToolCall call : message.getToolCalls()) {
      String arguments = text(call.arguments());
      calls.add(new ToolCall(text(call.id()), call.name(), arguments.isBlank() ? "{}" : arguments));
    }
    Object thinking = message.getMetadata().get(Responses.THINKING);
    return Message.assistant(
        text(message.getText()), thinking == null ? "" : thinking.toString(), calls);
  }

  private static Message result(ToolResponseMessage.ToolResponse response) {
    return Message.toolResult(
        new ToolCall(text(response.id()), response.name(), ""), text(response.responseData()));
  }

  private static String text(@Nullable String text) {
    return text == null ? "" : text;
  }
}
