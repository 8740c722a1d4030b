package dev.ocellus.vlm.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.image.RgbImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;

/** Writes conversations as {@link MessagesJson} reads them. */
final class MessagesWriter {
  private MessagesWriter() {}

  static String write(List<Message> messages) {
    ArrayNode array = MessagesJson.MAPPER.createArrayNode();
    for (Message message : messages) {
      ObjectNode node = array.addObject();
      node.put("role", message.role().wireName());
      writeExtras(message, node);
      switch (message.form()) {
        case STRING -> node.put("content", message.text());
        case PARTS -> {
          ArrayNode parts = node.putArray("content");
          message.content().forEach(content -> write(content, parts.addObject()));
        }
        case NULL -> node.putNull("content");
        case ABSENT -> {}
      }
    }
    try {
      return MessagesJson.MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(array) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON nodes could not be written", e);
    }
  }

  private static void write(Content content, ObjectNode part) {
    switch (content) {
      case Content.Text(String text) -> part.put("type", "text").put("text", text);
      case Content.Video video -> VideoPart.write(video, part);
      case Content.Image(RgbImage image, String source) ->
          part.put("type", "image_url")
              .putObject("image_url")
              .put("url", source.isEmpty() ? pngUrl(image) : source);
    }
  }

  private static void writeExtras(Message message, ObjectNode node) {
    if (!message.reasoning().isEmpty()) {
      node.put("reasoning_content", message.reasoning());
    }
    if (!message.toolCallId().isEmpty()) {
      node.put("tool_call_id", message.toolCallId());
    }
    if (!message.toolName().isEmpty()) {
      node.put("name", message.toolName());
    }
    if (!message.toolCalls().isEmpty()) {
      ArrayNode calls = node.putArray("tool_calls");
      for (ToolCall call : message.toolCalls()) {
        calls
            .addObject()
            .put("id", call.id())
            .put("type", "function")
            .putObject("function")
            .put("name", call.name())
            .put("arguments", call.arguments());
      }
    }
  }

  static String pngUrl(RgbImage image) {
    var bytes = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image.toBufferedImage(), "png", bytes)) {
        throw new OcellusException("This Java cannot write PNG files");
      }
    } catch (IOException e) {
      throw new IllegalStateException("a byte array could not be written", e);
    }
    return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
  }
}
