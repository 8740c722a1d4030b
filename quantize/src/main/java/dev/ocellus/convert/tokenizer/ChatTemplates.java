package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Chat templates: that of {@code tokenizer_config.json}, or of {@code chat_template.jinja} with the
 * named ones beside it, or of {@code chat_template.json}.
 */
final class ChatTemplates {
  private static final String DEFAULT = "default";

  private final Map<String, String> byName = new TreeMap<>();

  private ChatTemplates() {}

  static ChatTemplates of(HfFolder folder, @Nullable JsonNode tokenizerConfig) throws IOException {
    ChatTemplates out = new ChatTemplates();
    JsonNode own = tokenizerConfig == null ? null : tokenizerConfig.get("chat_template");
    Path jinja = folder.file("chat_template.jinja");
    if (own != null && own.isTextual()) {
      out.byName.put(DEFAULT, own.asText());
    } else if (own != null && own.isArray()) {
      for (JsonNode entry : own) {
        if (entry.path("name").isTextual() && entry.path("template").isTextual()) {
          out.byName.put(entry.get("name").asText(), entry.get("template").asText());
        }
      }
    } else if (Files.exists(jinja)) {
      out.byName.put(DEFAULT, Files.readString(jinja));
      out.addNamed(folder.file("additional_chat_templates"));
    } else {
      JsonNode template = folder.json("chat_template.json").get("chat_template");
      if (template != null && template.isTextual()) {
        out.byName.put(DEFAULT, template.asText());
      }
    }
    return out;
  }

  private void addNamed(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.jinja")) {
      for (Path file : files) {
        String name = file.getFileName().toString();
        byName.put(name.substring(0, name.length() - ".jinja".length()), Files.readString(file));
      }
    }
  }

  void write(GgufWriter out) {
    List<String> others = new ArrayList<>();
    byName.forEach((name, template) -> {
      if (!name.equals(DEFAULT)) {
        String key = name.replaceAll("[^A-Za-z0-9]", "_");
        if (!key.isEmpty() && !others.contains(key)) {
          others.add(key);
          out.string("tokenizer.chat_template." + key, template);
        }
      }
    });
    if (!others.isEmpty()) {
      out.strings("tokenizer.chat_templates", others);
    }
    String template = byName.get(DEFAULT);
    if (template != null) {
      out.string("tokenizer.chat_template", template);
    }
  }
}
