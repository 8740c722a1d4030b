package dev.ocellus.vlm.json;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.image.codec.DataUrl;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Images that stand beside the content of a message: {@code images}, a list of paths or of base64,
 * as in ollama's API. Other fields that carry something to see, hear or read are refused, as they
 * would be left out.
 */
final class MessageImages {
  private static final String IMAGES = "images";

  /** Fields under which programs send images, videos, sounds and files. */
  static final Set<String> CARRIERS =
      Set.of(
          IMAGES,
          "image",
          "image_url",
          "image_urls",
          "image_data",
          "image_path",
          "image_paths",
          "base64",
          "video",
          "videos",
          "video_url",
          "audio",
          "audios",
          "audio_url",
          "input_audio",
          "attachment",
          "attachments",
          "experimental_attachments",
          "file",
          "files",
          "file_url",
          "media");

  /** Fields of a message that are read. */
  private static final Set<String> READ =
      Set.of(
          "role",
          "content",
          IMAGES,
          "name",
          "tool_calls",
          "tool_call_id",
          "reasoning_content",
          "reasoning",
          "thinking");

  /** Lists and objects that come with the answers of servers and say nothing to a model. */
  private static final Set<String> NOTES =
      Set.of(
          "annotations",
          "cache_control",
          "citations",
          "logprobs",
          "metadata",
          "provider_specific_fields",
          "usage");

  /** What image files begin with, in base64: JPEG, PNG, GIF, WebP, BMP, TIFF. */
  private static final List<String> SIGNATURES =
      List.of("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "Qk", "SUkq", "TU0A");

  /** Fewer characters of base64 are no image, but may be the name of a file. */
  private static final int MIN_BASE64 = 40;

  private MessageImages() {}

  /** The images of a message, which stand in front of its content. */
  static List<Content> read(String at, JsonNode message, ImageLoader loader) throws IOException {
    requireNoOther(at, message, Set.of(IMAGES));
    requireNothingUnread(at, message);
    JsonNode list = message.path(IMAGES);
    if (!list.isArray() && !list.isMissingNode() && !list.isNull()) {
      throw new MessagesFormatException(
          "%s.images: expected a list of paths or base64, found %s"
              .formatted(at, MessagesJson.kind(list)));
    }
    List<Content> images = new ArrayList<>();
    for (int i = 0; i < list.size(); i++) {
      String place = at + ".images[" + i + "]";
      String text = MessagesJson.text(place, list.get(i));
      images.add(
          MessagesJson.image(place, isBase64(text) ? "data:image/*;base64," + text : text, loader));
    }
    return images;
  }

  /**
   * Refuses fields that carry images and that nobody reads.
   *
   * @param read those that are read
   */
  static void requireNoOther(String at, JsonNode node, Set<String> read) {
    node.properties()
        .forEach(entry -> {
          JsonNode value = entry.getValue();
          if (CARRIERS.contains(entry.getKey())
              && !read.contains(entry.getKey())
              && !isEmpty(value)) {
            throw new MessagesFormatException(
                "%s.%s: not read here. Put images into a part of the content, such as {\"type\": \"image\", \"path\": …}, or into a message's list \"images\"."
                    .formatted(at, entry.getKey()));
          }
        });
  }

  /** Refuses lists and objects of other names: whatever is in them would not reach the model. */
  private static void requireNothingUnread(String at, JsonNode message) {
    message
        .properties()
        .forEach(entry -> {
          String name = entry.getKey();
          boolean holds = entry.getValue().isContainerNode() && !isEmpty(entry.getValue());
          if (holds && !READ.contains(name) && !NOTES.contains(name)) {
            throw new MessagesFormatException(
                "%s.%s: not read, so the model would not see it. Put text and images into the content, calls into \"tool_calls\", or leave the field out."
                    .formatted(at, name));
          }
        });
  }

  private static boolean isEmpty(JsonNode value) {
    return value.isNull() || (value.isContainerNode() && value.isEmpty());
  }

  private static boolean isBase64(String text) {
    if (text.length() < MIN_BASE64 || SIGNATURES.stream().noneMatch(text::startsWith)) {
      return false;
    }
    try {
      return DataUrl.base64(text).length > 0;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
