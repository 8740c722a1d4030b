package dev.ocellus.vlm.session;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesJson;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** The conversation of a saved session, to and from bytes. */
final class SessionContent {
  private SessionContent() {}

  /** Name of the model, and the sources of the images and videos, a line each. */
  static byte[] info(String model, List<Message> messages) {
    StringBuilder info = new StringBuilder(oneLine(model));
    for (Message message : messages) {
      for (Content part : message.content()) {
        switch (part) {
          case Content.Text text -> {}
          case Content.Image image -> info.append('\n').append(oneLine(image.source()));
          case Content.Video video -> info.append('\n').append(oneLine(video.source()));
        }
      }
    }
    return info.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\R", " ");
  }

  /** The conversation with its images inside, so that it does not need the files any more. */
  static byte[] messages(List<Message> messages) {
    List<Message> inline =
        messages.stream()
            .map(message ->
                message.withContent(
                    message.content().stream().map(part -> withSource(part, "")).toList()))
            .toList();
    return MessagesJson.write(inline).getBytes(StandardCharsets.UTF_8);
  }

  private static Content withSource(Content part, String source) {
    return switch (part) {
      case Content.Text text -> text;
      case Content.Image image -> new Content.Image(image.image(), source);
      case Content.Video video -> new Content.Video(video.video(), source);
    };
  }

  static List<Message> readMessages(byte[] json, List<String> sources) throws IOException {
    String text = new String(json, StandardCharsets.UTF_8);
    if (text.length() < 8 && text.replaceAll("\\s", "").equals("[]")) {
      return List.of();
    }
    Iterator<String> source = sources.iterator();
    List<Message> messages = new ArrayList<>();
    for (Message message : MessagesJson.parse(text, new Frugal())) {
      List<Content> parts = new ArrayList<>();
      for (Content part : message.content()) {
        boolean hasSource = part.visual() != null && source.hasNext();
        parts.add(hasSource ? withSource(part, source.next()) : part);
      }
      messages.add(message.withContent(parts));
    }
    return messages;
  }

  /**
   * Decodes images inside the JSON as long as all of them fit in memory together: a few hundred
   * bytes of PNG can be a hundred million pixels. What was saved had room in memory, so nothing
   * else is limited.
   */
  private static final class Frugal implements ImageLoader {
    private static final int BYTES_PER_PIXEL = 3;
    private static final int SHARE_OF_MEMORY = 3;
    private static final int MAX_SIDE = 1 << 20;
    private static final int MAX_FRAMES = 1 << 20;

    private long pixels = Runtime.getRuntime().maxMemory() / SHARE_OF_MEMORY / BYTES_PER_PIXEL;

    @Override
    public ImageLimits limits() {
      return new ImageLimits(Integer.MAX_VALUE, Math.max(1, pixels), MAX_SIDE, MAX_FRAMES);
    }

    @Override
    public Content.Image load(String reference) throws IOException {
      Content.Image image = ImageLoader.inlineOnly(limits()).load(reference);
      pixels -= image.image().size().pixels();
      return image;
    }
  }
}
