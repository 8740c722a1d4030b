package dev.ocellus.convert.tokenizer;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.CheckpointBuilder;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Which of a checkpoint's templates is taken, compared with the {@code AutoTokenizer} and {@code
 * AutoProcessor} (where it has none, its tokenizer) of transformers 5.18 for every combination of
 * files.
 */
class ChatTemplatesTest {
  private static final String LIST =
      "[{\"name\": \"default\", \"template\": \"CFG\"}, {\"name\": \"tool_use\", \"template\": \"CFG-TOOL\"}]";
  private static final String NO_DEFAULT = "[{\"name\": \"tool_use\", \"template\": \"CFG-TOOL\"}]";

  @TempDir Path root;

  private record Row(
      String config,
      String jinja,
      String json,
      String additional,
      String processorConfig,
      String tokenizer,
      String processor) {
    static Row of(String line) {
      String[] c = line.split("\t");
      return new Row(c[0], c[1], c[2], c[3], c[4], c[5], c[6]);
    }
  }

  private static List<Row> rows() throws IOException {
    List<Row> rows = new ArrayList<>();
    try (var in = ChatTemplatesTest.class.getResourceAsStream("chat-template-files.tsv")) {
      new String(in.readAllBytes(), UTF_8).lines().skip(1).map(Row::of).forEach(rows::add);
    }
    return rows;
  }

  @Test
  void takesTheTemplatesOfTheProcessorForModelsWithImages() throws IOException {
    for (Row row : rows()) {
      Path folder = folder(row, true);
      if (row.processor.equals("ERROR")) {
        assertThatThrownBy(() -> templates(folder))
            .as(row.toString())
            .isInstanceOf(ConversionException.class)
            .hasMessageContaining("additional_chat_templates")
            .hasMessageContaining("chat_template.json");
      } else {
        assertThat(templates(folder)).as(row.toString()).isEqualTo(expected(row.processor));
      }
    }
  }

  @Test
  void takesTheTemplatesOfTheTokenizerForModelsWithoutImages() throws IOException {
    for (Row row : rows()) {
      if (!row.processorConfig.equals("-")) {
        continue; // a file that only a processor has
      }
      assertThat(templates(folder(row, false)))
          .as(row.toString())
          .isEqualTo(expected(row.tokenizer));
    }
  }

  @Test
  void coversEveryCombination() throws IOException {
    assertThat(rows()).hasSize(4 * 2 * 3 * 2 * 3);
  }

  private static Map<String, String> expected(String column) {
    Map<String, String> templates = new TreeMap<>();
    for (String entry : column.equals("-") ? new String[0] : column.split(";")) {
      templates.put(entry.split("=")[0], entry.split("=")[1]);
    }
    return templates;
  }

  private Path folder(Row row, boolean images) throws IOException {
    Path folder = Files.createTempDirectory(root, "checkpoint");
    CheckpointBuilder.in(folder)
        .config(images ? "{\"vision_config\": {}}" : "{}")
        .tensor("x", 1)
        .write();
    String config =
        switch (row.config) {
          case "string" -> "\"CFG\"";
          case "list" -> LIST;
          case "nodefault" -> NO_DEFAULT;
          default -> "null";
        };
    write(folder, "tokenizer_config.json", "{\"chat_template\": " + config + "}");
    if (!row.jinja.equals("-")) {
      write(folder, "chat_template.jinja", "JINJA");
    }
    if (!row.json.equals("-")) {
      String json =
          row.json.equals("dict")
              ? "{\"default\": \"JSON\", \"tool_use\": \"JSON-TOOL\"}"
              : "\"JSON\"";
      write(folder, "chat_template.json", "{\"chat_template\": " + json + "}");
    }
    if (!row.additional.equals("-")) {
      Path directory = Files.createDirectory(folder.resolve("additional_chat_templates"));
      write(directory, "tool_use.jinja", "ADD-TOOL");
    }
    if (!row.processorConfig.equals("-")) {
      String processor =
          row.processorConfig.equals("dict")
              ? "{\"default\": \"PROC\", \"rag\": \"PROC-RAG\"}"
              : "\"PROC\"";
      write(folder, "processor_config.json", "{\"chat_template\": " + processor + "}");
    }
    return folder;
  }

  private static void write(Path folder, String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text);
  }

  /** What is in the GGUF file, by name. */
  private static Map<String, String> templates(Path directory) throws IOException {
    Path file = directory.resolve("templates.gguf");
    try (HfFolder folder = HfFolder.open(directory)) {
      GgufWriter out = new GgufWriter();
      out.string("general.architecture", "llama");
      ChatTemplates.of(folder, folder.json("tokenizer_config.json")).write(out);
      out.write(file);
    }
    Map<String, String> templates = new TreeMap<>();
    try (GgufFile gguf = GgufFile.open(file)) {
      GgufMetadata metadata = gguf.metadata();
      metadata.findString("tokenizer.chat_template").ifPresent(t -> templates.put("default", t));
      for (String name : List.of("tool_use", "rag")) {
        metadata
            .findString("tokenizer.chat_template." + name)
            .ifPresent(t -> templates.put(name, t));
      }
    }
    return templates;
  }
}
