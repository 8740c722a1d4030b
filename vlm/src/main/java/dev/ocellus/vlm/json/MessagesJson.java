package dev.ocellus.vlm.json;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.ContentForm;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.python.PythonJson;
import dev.ocellus.vlm.python.PythonJsonFactory;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes conversations as JSON: an array of messages, or an object that has one under
 * {@code messages} (other keys of the object are left to the caller).
 *
 * <p>A message has a {@code role} (system, developer, user, assistant, tool) and a {@code content}:
 * a string, or a list of parts {@code {"type": "text", "text": …}}, {@code {"type": "image_url",
 * "image_url": {"url": …}}}, or as in HuggingFace's chats {@code {"type": "image", "image" or "url"
 * or "path": …}}, {@code {"type": "image", "base64": …}} and {@code {"type": "video", "video" or
 * "url" or "path": …, "fps": …}}, where a video may also be a list of such references, one for each
 * frame, with its {@code fps}, or with the {@code times} of all frames and the {@code duration} in
 * seconds. Images may also stand in a message's list {@code images}, as paths or base64, and come
 * in front of its content then, as in ollama's API.
 */
public final class MessagesJson {
  /** An image inside the JSON may be as large as one in a file. */
  private static final int MAX_STRING = 400_000_000;

  /** Most words and brackets: far more than a conversation has, and no more than memory holds. */
  private static final long MAX_TOKENS = 5_000_000;

  static final ObjectMapper MAPPER =
      new ObjectMapper(
              new PythonJsonFactory(
                      PythonJson.constraints()
                          .maxStringLength(MAX_STRING)
                          .maxTokenCount(MAX_TOKENS)
                          .maxNestingDepth(100))
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION.mappedFeature()))
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private MessagesJson() {}

  /**
   * Reads a conversation.
   *
   * @throws MessagesFormatException if it is none, or refers to something that is not supported
   * @throws ImageFormatException if an image is broken
   * @throws IOException if an image cannot be read
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
    if (root != null && root.isObject()) {
      MessageImages.requireNoOther("conversation", root, Set.of());
    }
    JsonNode list = root != null && root.isObject() ? root.get("messages") : root;
    if (list == null || !list.isArray()) {
      throw new MessagesFormatException(
          "expected an array of messages, or an object with one under \"messages\"; found "
              + kind(list == null ? root : list));
    }
    return messages(list, loader);
  }

  /**
   * Reads the messages of a conversation that is JSON already.
   *
   * @param list an array of messages
   * @throws MessagesFormatException if it is none, or refers to something that is not supported
   * @throws ImageFormatException if an image is broken
   * @throws IOException if an image cannot be read
   */
  public static List<Message> messages(JsonNode list, ImageLoader loader) throws IOException {
    if (!list.isArray()) {
      throw new MessagesFormatException("messages: expected an array, found " + kind(list));
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
    Message plain =
        withImages(plainMessage(at, node, loader), MessageImages.read(at, node, loader));
    String reasoning = reasoning(at, node);
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
        plain.form(),
        reasoning,
        calls,
        node.path("tool_call_id").asText(""),
        node.path("name").asText(""));
  }

  /** What the model thought, under the names that servers give it. */
  private static String reasoning(String at, JsonNode node) {
    for (String key : List.of("reasoning_content", "reasoning", "thinking")) {
      JsonNode value = node.path(key);
      if (!value.isMissingNode() && !value.isNull()) {
        return text(at + "." + key, value);
      }
    }
    return "";
  }

  /** Images in front of the content, which then is a list of parts. */
  private static Message withImages(Message message, List<Content> images) {
    if (images.isEmpty()) {
      return message;
    }
    List<Content> parts = new ArrayList<>(images);
    parts.addAll(message.content());
    return new Message(message.role(), parts);
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
            : arguments.isMissingNode() ? "{}" : PythonJson.write(arguments);
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
      role = Role.of(word);
    } catch (IllegalArgumentException e) {
      throw new MessagesFormatException(at + "." + e.getMessage(), e);
    }
    JsonNode content = node.get("content");
    if (content == null || content.isNull()) {
      if (role == Role.ASSISTANT) {
        ContentForm form = content == null ? ContentForm.ABSENT : ContentForm.NULL;
        return new Message(role, List.of(), form, "", List.of(), "", "");
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
    MessageImages.requireNoOther(at, node, carriersOf(type));
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
      case "video" -> VideoPart.read(at, node, loader);
      default ->
          throw new MessagesFormatException(
              "%s.type: expected text, image_url, image or video, found '%s'".formatted(at, type));
    };
  }

  private static Set<String> carriersOf(String type) {
    return switch (type) {
      case "image_url", "input_image" -> Set.of("image_url");
      case "image" -> Set.of("image", "base64");
      case "video" -> Set.of("video");
      case "text", "input_text", "output_text" -> Set.of();
      default -> MessageImages.CARRIERS; // a part that is refused anyway
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
        at + ": expected the image under image, url, path or base64, found none of them");
  }

  static Content image(String at, String reference, ImageLoader loader) throws IOException {
    return loaded(at, () -> loader.load(reference));
  }

  /** Something that may fail where nobody knows in which part of the conversation. */
  interface Loading<T> {
    T load() throws IOException;
  }

  static <T> T loaded(String at, Loading<T> loading) throws IOException {
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

  static String text(String at, @Nullable JsonNode node) {
    if (node == null || !node.isTextual()) {
      throw new MessagesFormatException(at + ": expected a string, found " + kind(node));
    }
    return node.textValue();
  }

  static String kind(@Nullable JsonNode node) {
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
   * Writes a conversation so that {@link #parse} reads it again. Images and videos are written as
   * the path they came from. Images that came from none are written as PNG inside the JSON, and so
   * are videos of which only some frames are there.
   */
  public static String write(List<Message> messages) {
    return MessagesWriter.write(messages);
  }
}
