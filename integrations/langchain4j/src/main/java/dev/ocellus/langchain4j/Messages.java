package dev.ocellus.langchain4j;

import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.PdfFileContent;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.ContentForm;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Messages of LangChain4j as those of a conversation. */
final class Messages {
  private final Images images;

  Messages(ImageLoader loader) {
    this.images = new Images(loader);
  }

  List<Message> of(List<ChatMessage> messages) {
    List<Message> all = new ArrayList<>();
    for (ChatMessage message : messages) {
      all.add(of(message));
    }
    return all;
  }

  private Message of(ChatMessage message) {
    return switch (message) {
      case SystemMessage m -> Message.system(m.text());
      case UserMessage m -> Message.user(contents(m.contents()));
      case AiMessage m ->
          Message.assistant(text(m.text()), text(m.thinking()), calls(m.toolExecutionRequests()));
      case ToolExecutionResultMessage m -> result(m);
      default ->
          throw new UnsupportedFeatureException(
              "Messages of the type %s are not supported".formatted(message.type()));
    };
  }

  private Message result(ToolExecutionResultMessage m) {
    String id = text(m.id());
    if (m.hasSingleText()) {
      return Message.toolResult(new ToolCall(id, m.toolName(), ""), m.text());
    }
    return new Message(
        Role.TOOL, contents(m.contents()), ContentForm.PARTS, "", List.of(), id, m.toolName());
  }

  private List<Content> contents(List<dev.langchain4j.data.message.Content> contents) {
    List<Content> parts = new ArrayList<>();
    for (dev.langchain4j.data.message.Content content : contents) {
      switch (content) {
        case TextContent text -> parts.add(new Content.Text(text.text()));
        case ImageContent image -> parts.add(images.content(image.image()));
        case PdfFileContent document -> parts.addAll(images.pages(document.pdfFile()));
        default ->
            throw new UnsupportedFeatureException(
                "Contents of the type %s are not supported; text, images and PDF documents are"
                    .formatted(content.type()));
      }
    }
    return parts;
  }

  private static List<ToolCall> calls(@Nullable List<ToolExecutionRequest> requests) {
    List<ToolCall> calls = new ArrayList<>();
    if (requests != null) {
      for (ToolExecutionRequest request : requests) {
        String arguments = text(request.arguments());
        calls.add(
            new ToolCall(
                text(request.id()), request.name(), arguments.isBlank() ? "{}" : arguments));
      }
    }
    return calls;
  }

  private static String text(@Nullable String text) {
    return text == null ? "" : text;
  }
}
