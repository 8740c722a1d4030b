package dev.ocellus.vlm.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
import dev.ocellus.vlm.Content;
import dev.ocellus.vlm.Message;
import dev.ocellus.vlm.Role;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.tool.ToolCall;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.OptionalDouble;
import javax.imageio.ImageIO;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes conversations as JSON: an array of messages, or an object that has one under
 * {@code messages} (other keys of the object are left to the caller).
 *
 * <p>A message has a {@code role} (system, developer, user, assistant, tool) and a {@code content}:
 * a string, or a list of parts {@code {"type": "text", "text": …}}, {@code {"type": "image_url",
 * "image_url": {"url": …}}}, or as in HuggingFace's chats {@code {"type": "image", "image" or "url"
 * or "path": …}}, {@code {"type": "image", "base64": …}} and {@code {"type": "video", "video" or
 * "url" or "path": …, "fps": …}}.
 */
public final class MessagesJson {
  /** A picture inside the JSON may be as large as one in a file. */
  private static final int MAX_STRING = 400_000_000;

  private static final ObjectMapper MAPPER =
      new ObjectMapper(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxStringLength(MAX_STRING)
                          .maxNestingDepth(100)
                          .build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private MessagesJson() {}

  /**
   * Reads a conversation.
   *
   * @throws MessagesFormatException if it is none, or refers to something that is not supported
   * @throws ImageFormatException if a picture is broken
   * @throws IOException if a picture cannot be read
   */
  public static List<Message> parse(String json, ImageLoader loader) throws IOException {
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      var at = e.getLocation();
      throw new MessagesFormatException(
          "not valid JSON%s: %s"
              .formatted(
                  at == null
                      ? ""
                      : ", line %d, column %d".formatted(at.getLineNr(), at.getColumnNr()),
                  e.getOriginalMessage()),
          e);
    }
    JsonNode list = root != null && root.isObject() ? root.get("messages") : root;
    if (list == null || !list.isArray()) {
      throw new MessagesFormatException(
          "expected an array of messages, or an object with one under \"messages\"; found "
              + kind(list == null ? root : list));
    }
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      messages.add(message("messages[" + i + "]", list.get(i), loader));
    }
    if (messages.isEmpty()) {
      throw new MessagesFormatException("messages: expected at least one, found none");
    }
    return messages;
  }

  private static Message message(String at, JsonNode node, ImageLoader loader) throws IOException {
    requireObject(at, node);
    Message plain = plainMessage(at, node, loader);
    String reasoning = node.path("reasoning_content").asText(node.path("reasoning").asText(""));
    List<ToolCall> calls = new ArrayList<>();
    JsonNode list = node.path("tool_calls");
    if (!list.isArray() && !list.isMissingNode() && !list.isNull()) {
      throw new MessagesFormatException(at + ".tool_calls: expected a list, found " + kind(list));
    }
    for (int i = 0; i < list.size(); i++) {
      calls.add(call(at + ".tool_calls[" + i + "]", list.get(i)));
    }
    return new Message(
        plain.role(),
        plain.content(),
        reasoning,
        calls,
        node.path("tool_call_id").asText(""),
        node.path("name").asText(""));
  }

  private static ToolCall call(String at, JsonNode node) {
    requireObject(at, node);
    JsonNode function = node.has("function") ? node.get("function") : node;
    requireObject(at + ".function", function);
    String name = text(at + ".function.name", function.get("name"));
    JsonNode arguments = function.path("arguments");
    String json =
        arguments.isTextual()
            ? arguments.textValue()
            : arguments.isMissingNode() ? "{}" : arguments.toString();
    JsonNode object;
    try {
      object = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new MessagesFormatException(
          at
              + ".function.arguments: expected a JSON object, found text that is not valid JSON: "
              + e.getOriginalMessage(),
          e);
    }
    if (!object.isObject()) {
      throw new MessagesFormatException(
          at + ".function.arguments: expected a JSON object, found " + kind(object));
    }
    return new ToolCall(node.path("id").asText(""), name, json);
  }

  private static Message plainMessage(String at, JsonNode node, ImageLoader loader)
      throws IOException {
    String word = text(at + ".role", node.get("role"));
    Role role;
    try {
      role = Role.of(word.equals("developer") ? "system" : word);
    } catch (IllegalArgumentException e) {
      throw new MessagesFormatException(at + "." + e.getMessage(), e);
    }
    JsonNode content = node.get("content");
    if (content == null || content.isNull()) {
      if (role == Role.ASSISTANT) {
        return Message.assistant("");
      }
      throw new MessagesFormatException(
          at + ".content: expected a string or a list of parts, found nothing");
    }
    if (content.isTextual()) {
      return Message.of(role, content.textValue());
    }
    if (!content.isArray()) {
      throw new MessagesFormatException(
          at + ".content: expected a string or a list of parts, found " + kind(content));
    }
    List<Content> parts = new ArrayList<>();
    for (int i = 0; i < content.size(); i++) {
      parts.add(part(at + ".content[" + i + "]", content.get(i), loader));
    }
    return new Message(role, parts);
  }

  private static Content part(String at, JsonNode node, ImageLoader loader) throws IOException {
    if (node.isTextual()) {
      return new Content.Text(node.textValue());
    }
    requireObject(at, node);
    String type = text(at + ".type", node.get("type"));
    return switch (type) {
      case "text", "input_text", "output_text" ->
          new Content.Text(text(at + ".text", node.get("text")));
      case "image_url", "input_image" -> {
        JsonNode url = node.get("image_url");
        yield url != null && url.isObject()
            ? image(at + ".image_url.url", text(at + ".image_url.url", url.get("url")), loader)
            : image(at + ".image_url", text(at + ".image_url", url), loader);
      }
      case "image" -> imagePart(at, node, loader);
      case "video" -> videoPart(at, node, loader);
      default ->
          throw new MessagesFormatException(
              "%s.type: expected text, image_url, image or video, found '%s'".formatted(at, type));
    };
  }

  private static Content imagePart(String at, JsonNode node, ImageLoader loader)
      throws IOException {
    for (String key : List.of("image", "url", "path")) {
      if (node.has(key)) {
        return image(at + "." + key, text(at + "." + key, node.get(key)), loader);
      }
    }
    if (node.has("base64")) {
      String data = text(at + ".base64", node.get("base64"));
      return image(at + ".base64", "data:image/*;base64," + data, loader);
    }
    throw new MessagesFormatException(
        at + ": expected the picture under image, url, path or base64, found none of them");
  }

  /** A directory of frames or an animation, with its rate in frames per second if it is given. */
  private static Content videoPart(String at, JsonNode node, ImageLoader loader)
      throws IOException {
    OptionalDouble fps = OptionalDouble.empty();
    JsonNode rate = node.get("fps");
    if (rate != null) {
      if (!rate.isNumber() || !(rate.doubleValue() > 0) || rate.doubleValue() > 1000) {
        throw new MessagesFormatException(
            "%s.fps: expected a rate from above 0 to 1000, found %s".formatted(at, rate));
      }
      fps = OptionalDouble.of(rate.doubleValue());
    }
    for (String key : List.of("video", "url", "path")) {
      if (node.has(key)) {
        String reference = text(at + "." + key, node.get(key));
        OptionalDouble given = fps;
        return loaded(at + "." + key, () -> loader.loadVideo(reference, given));
      }
    }
    throw new MessagesFormatException(
        at + ": expected the video under video, url or path, found none of them");
  }

  private static Content image(String at, String reference, ImageLoader loader) throws IOException {
    return loaded(at, () -> loader.load(reference));
  }

  private interface Loading {
    Content load() throws IOException;
  }

  private static Content loaded(String at, Loading loading) throws IOException {
    try {
      return loading.load();
    } catch (ImageFormatException e) {
      throw new ImageFormatException(e.kind(), at + ": " + e.getMessage(), e);
    } catch (MessagesFormatException e) {
      throw new MessagesFormatException(at + ": " + e.getMessage(), e);
    } catch (NoSuchFileException e) {
      throw new MessagesFormatException(at + ": no such file: " + e.getFile(), e);
    } catch (IOException e) {
      throw new IOException(at + ": " + e.getMessage(), e);
    }
  }

  private static void requireObject(String at, @Nullable JsonNode node) {
    if (node == null || !node.isObject()) {
      throw new MessagesFormatException(at + ": expected an object, found " + kind(node));
    }
  }

  private static String text(String at, @Nullable JsonNode node) {
    if (node == null || !node.isTextual()) {
      throw new MessagesFormatException(at + ": expected a string, found " + kind(node));
    }
    return node.textValue();
  }

  private static String kind(@Nullable JsonNode node) {
    if (node == null || node.isMissingNode()) {
      return "nothing";
    }
    return switch (node.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case STRING -> "a string";
      case NUMBER -> "the number " + node.asText();
      case BOOLEAN -> node.asText();
      case NULL -> "null";
      default -> node.getNodeType().toString();
    };
  }

  /**
   * Writes a conversation so that {@link #parse} reads it again. Pictures are written as the path
   * they came from, and as PNG inside the JSON where they came from none.
   */
  public static String write(List<Message> messages) {
    ArrayNode array = MAPPER.createArrayNode();
    for (Message message : messages) {
      ObjectNode node = array.addObject();
      node.put("role", message.role().word());
      writeExtras(message, node);
      if (message.content().size() == 1 && message.content().getFirst() instanceof Content.Text t) {
        node.put("content", t.text());
        continue;
      }
      ArrayNode parts = node.putArray("content");
      for (Content content : message.content()) {
        switch (content) {
          case Content.Text(String text) -> parts.addObject().put("type", "text").put("text", text);
          case Content.Video(Video video, String source) -> {
            if (source.isEmpty()) {
              throw new MessagesFormatException(
                  "a video that comes from no file cannot be written as JSON");
            }
            parts.addObject().put("type", "video").put("video", source).put("fps", video.fps());
          }
          case Content.Image(RgbImage image, String source) ->
              parts
                  .addObject()
                  .put("type", "image_url")
                  .putObject("image_url")
                  .put("url", source.isEmpty() ? pngUrl(image) : source);
        }
      }
    }
    try {
      return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(array) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree of JSON nodes could not be written", e);
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

  private static String pngUrl(RgbImage image) {
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
