package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.CheckpointFiles;
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
 * The chat templates of a checkpoint, one of them the default, from the files that transformers
 * prefers. A processor, which models with images have, reads its own template: {@code
 * processor_config.json}, else {@code chat_template.json}, else {@code chat_template.jinja} with
 * {@code additional_chat_templates}; where it has none, the tokenizer's counts. A tokenizer takes
 * {@code chat_template.jinja} with the additional ones, else {@code tokenizer_config.json}, and
 * never {@code chat_template.json}.
 *
 * @see <a
 *     href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/processing_utils.py">ProcessorMixin.get_processor_dict</a>
 */
final class ChatTemplates {
  private static final String DEFAULT = "default";
  private static final String KEY = "chat_template";
  private static final String LEGACY = "chat_template.json";
  private static final String JINJA = "chat_template.jinja";
  private static final String ADDITIONAL = "additional_chat_templates";

  private final Map<String, String> byName = new TreeMap<>();

  private ChatTemplates() {}

  /**
   * @throws ConversionException if {@code chat_template.json} stands beside additional templates,
   *     which transformers refuses
   */
  static ChatTemplates of(HfFolder folder, @Nullable JsonNode tokenizerConfig) throws IOException {
    ChatTemplates out = new ChatTemplates();
    if (hasProcessor(folder)) {
      out.addProcessors(folder);
    }
    if (out.byName.isEmpty()) {
      out.addFiles(folder);
    }
    if (out.byName.isEmpty() && tokenizerConfig != null) {
      out.add(tokenizerConfig.path(KEY));
    }
    return out;
  }

  private static boolean hasProcessor(HfFolder folder) {
    return folder.config().findSection("vision_config", "").isPresent()
        || Files.exists(folder.file("processor_config.json"))
        || Files.exists(folder.file("preprocessor_config.json"));
  }

  private void addProcessors(HfFolder folder) throws IOException {
    Path legacy = folder.file(LEGACY);
    if (Files.exists(legacy) && !additional(folder).isEmpty()) {
      throw ConversionException.at(
          legacy,
          "chat templates",
          "one file with templates",
          "also " + folder.file(ADDITIONAL),
          "Delete the one that does not belong to the model; transformers reads neither.");
    }
    add(folder.json("processor_config.json").path(KEY));
    if (byName.isEmpty() && Files.exists(legacy)) {
      add(folder.json(LEGACY).path(KEY));
    } else if (byName.isEmpty()) {
      addFiles(folder);
    }
  }

  private void addFiles(HfFolder folder) throws IOException {
    for (Path file : additional(folder)) {
      String name = file.getFileName().toString();
      byName.put(
          name.substring(0, name.length() - ".jinja".length()),
          CheckpointFiles.text(file, ".jinja"));
    }
    Path jinja = folder.file(JINJA);
    if (Files.exists(jinja)) {
      byName.put(DEFAULT, CheckpointFiles.text(jinja, ".jinja"));
    }
  }

  private static List<Path> additional(HfFolder folder) throws IOException {
    List<Path> found = new ArrayList<>();
    Path directory = folder.file(ADDITIONAL);
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*.jinja")) {
        files.forEach(found::add);
      }
    }
    return found;
  }

  /** One template, several by name, or a list of objects with name and template. */
  private void add(JsonNode templates) {
    if (templates.isTextual()) {
      byName.put(DEFAULT, templates.textValue());
    } else if (templates.isObject()) {
      templates.properties().forEach(entry -> addNamed(entry.getKey(), entry.getValue()));
    } else {
      templates.forEach(entry -> addNamed(entry.path("name").asText(""), entry.path("template")));
    }
  }

  private void addNamed(String name, JsonNode template) {
    if (!name.isEmpty() && template.isTextual()) {
      byName.put(name, template.textValue());
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
