package dev.ocellus.vlm.prompt;

import dev.ocellus.vlm.vision.ChatTemplateName;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;

/** The texts of the chat templates for text models whose files bring none. */
final class DefaultTemplates {
  private DefaultTemplates() {}

  /** The source of a template, which lies beside this class as {@code defaults/NAME.jinja}. */
  static String of(ChatTemplateName name) {
    String resource = "defaults/" + name.name().toLowerCase(Locale.ROOT) + ".jinja";
    try (InputStream in =
        Objects.requireNonNull(DefaultTemplates.class.getResourceAsStream(resource), resource)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(resource, e);
    }
  }
}
