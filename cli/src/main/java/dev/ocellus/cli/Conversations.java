package dev.ocellus.cli;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesFormatException;
import dev.ocellus.vlm.json.MessagesJson;
import dev.ocellus.vlm.python.PythonJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Many conversations from one file: one, an array of them, or one a line. Their images are read one
 * conversation at a time.
 */
final class Conversations {
  private final String name;
  private final Path base;
  private final List<String> json = new ArrayList<>();

  private Conversations(String name, Path base) {
    this.name = name;
    this.base = base;
  }

  static Conversations read(Io io, String file) throws IOException {
    Path parent = file.equals("-") ? null : Path.of(file).toAbsolutePath().getParent();
    var all =
        new Conversations(
            file.equals("-") ? "standard input" : file,
            parent == null ? Path.of("").toAbsolutePath() : parent);
    var mapper = new ObjectMapper(PythonJson.factory(PythonJson.constraints()).build());
    try (JsonParser parser = mapper.createParser(TextInput.read(io, file))) {
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

  int size() {
    return json.size();
  }

  List<Message> get(int i) throws IOException {
    try {
      return MessagesJson.parse(json.get(i), ImageLoader.files(base, ImageLimits.DEFAULT));
    } catch (MessagesFormatException e) {
      throw new MessagesFormatException(
          "%s, conversation %d: %s".formatted(name, i + 1, e.getMessage()), e);
    }
  }
}
