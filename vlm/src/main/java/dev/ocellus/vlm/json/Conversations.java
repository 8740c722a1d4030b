package dev.ocellus.vlm.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.python.PythonJson;
import dev.ocellus.vlm.python.PythonJsonFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Many conversations from one file: one, an array of them, or one a line. Their images are read one
 * conversation at a time.
 */
public final class Conversations {
  private final String name;
  private final Path base;
  private final List<String> json = new ArrayList<>();

  private Conversations(String name, Path base) {
    this.name = name;
    this.base = base;
  }

  /**
   * Reads conversations.
   *
   * @param name what messages call the source, such as a file
   * @param json one conversation, an array of them, or one after the other
   * @param base directory from which paths of images start
   * @throws MessagesFormatException if it is not JSON or holds no conversation
   */
  public static Conversations parse(String name, String json, Path base) throws IOException {
    var all = new Conversations(name, base);
    var mapper = new ObjectMapper(new PythonJsonFactory(PythonJson.constraints()));
    try (JsonParser parser = mapper.createParser(json)) {
      for (JsonNode node = mapper.readTree(parser); node != null; node = mapper.readTree(parser)) {
        all.add(node);
      }
    } catch (JsonProcessingException e) {
      throw new MessagesFormatException(
          "%s is no JSON: %s".formatted(all.name, e.getOriginalMessage()), e);
    }
    if (all.json.isEmpty()) {
      throw new MessagesFormatException(all.name + " holds no conversation");
    }
    return all;
  }

  private void add(JsonNode node) {
    boolean several =
        node.isArray() && !node.isEmpty() && (node.get(0).isArray() || node.get(0).has("messages"));
    if (several) {
      node.forEach(one -> json.add(PythonJson.write(one)));
    } else {
      json.add(PythonJson.write(node));
    }
  }

  /** What messages call the source. */
  public String name() {
    return name;
  }

  /** How many there are. */
  public int size() {
    return json.size();
  }

  /**
   * A conversation, whose images are read now.
   *
   * @throws MessagesFormatException if it is none
   * @throws IOException if an image cannot be read
   */
  public List<Message> get(int i) throws IOException {
    try {
      return MessagesJson.parse(json.get(i), ImageLoader.files(base, ImageLimits.DEFAULT));
    } catch (MessagesFormatException e) {
      throw new MessagesFormatException(
          "%s, conversation %d: %s".formatted(name, i + 1, e.getMessage()), e);
    }
  }
}
