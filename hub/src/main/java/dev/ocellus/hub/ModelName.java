package dev.ocellus.hub;

import java.util.Locale;
import java.util.Optional;

/**
 * How a model is asked for.
 *
 * <ul>
 *   <li>{@code hf://org/repo}, {@code hf://org/repo:Q4_K_M}, {@code hf://org/repo@revision:Q8_0},
 *       {@code hf://org/repo/path/model.gguf}
 *   <li>{@code ollama:gemma3}, {@code ollama:user/model:tag}, {@code ollama:host/user/model:tag}
 * </ul>
 */
public sealed interface ModelName permits HubName, OllamaName {
  /** Whether a text begins as a name does, whatever follows; a path does not. */
  static boolean isName(String text) {
    return isHub(text) || text.startsWith(OllamaName.SCHEME);
  }

  /**
   * Reads a name.
   *
   * @return empty if the text does not begin as a name does, so that it may be a path
   * @throws HubException if it does, and what follows is no name
   */
  static Optional<ModelName> parse(String text) {
    if (isHub(text)) {
      return Optional.of(HubName.parse(text.substring(text.indexOf(':') + 1)));
    }
    if (text.startsWith(OllamaName.SCHEME)) {
      return Optional.of(OllamaName.parse(text.substring(OllamaName.SCHEME.length())));
    }
    return Optional.empty();
  }

  private static boolean isHub(String text) {
    String start = text.toLowerCase(Locale.ROOT);
    return start.startsWith("hf:/") || start.startsWith("https://huggingface.co/");
  }
}
