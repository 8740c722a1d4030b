package dev.ocellus.springai.autoconfigure;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.options.SessionOptions;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.ConfigurationProperties;

/** What editors and the documentation say of properties is what the application reads. */
class ConfigurationMetadataTest {
  private static final String METADATA = "/META-INF/spring-configuration-metadata.json";

  private static JsonNode properties() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ConfigurationMetadataTest.class.getResourceAsStream(METADATA))) {
      return new ObjectMapper().readTree(in).path("properties");
    }
  }

  private static Map<String, String> declared() {
    Map<String, String> all = new TreeMap<>();
    for (Class<?> type :
        new Class<?>[] {OcellusChatProperties.class, OcellusEmbeddingProperties.class}) {
      String prefix =
          Objects.requireNonNull(type.getAnnotation(ConfigurationProperties.class)).value();
      for (RecordComponent component : type.getRecordComponents()) {
        String name =
            component.getName().replaceAll("([A-Z])", "-$1").toLowerCase(java.util.Locale.ROOT);
        all.put(prefix + "." + name, component.getGenericType().getTypeName());
      }
    }
    return all;
  }

  @Test
  void hasEveryPropertyWithItsTypeAndADescription() throws IOException {
    Map<String, String> described = new TreeMap<>();
    for (JsonNode property : properties()) {
      described.put(property.path("name").asText(), property.path("type").asText());
      assertThat(property.path("description").asText()).endsWith(".");
    }
    assertThat(described).isEqualTo(declared());
  }

  @Test
  void saysTheDefaultsThatCount() throws IOException {
    for (JsonNode property : properties()) {
      JsonNode value = property.path("defaultValue");
      switch (property.path("name").asText()) {
        case "ocellus.chat.context-size" ->
            assertThat(value.asInt()).isEqualTo(ContextOptions.defaults().nCtx());
        case "ocellus.chat.parallel" ->
            assertThat(value.asInt()).isEqualTo(SessionOptions.defaults().parallel());
        case "ocellus.chat.vision-precision" -> assertThat(value.asText()).isEqualTo("exact");
        default -> assertThat(value.isMissingNode()).isTrue();
      }
    }
  }

  @Test
  void theDocumentationNamesThemAll() throws IOException {
    String page = Files.readString(Path.of("../../docs/spring-ai.md"));
    declared().keySet().forEach(name -> assertThat(page).contains("`" + name + "`"));
  }
}
