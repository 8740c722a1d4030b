package dev.ocellus.server.options;

import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.options.LoadOptions;
import java.nio.file.Path;
import java.util.List;

/**
 * A model that a server may load when somebody asks for it.
 *
 * @param name what requests call it
 * @param aliases other names of it
 * @param load what it is loaded from
 */
public record ModelSource(String name, List<String> aliases, Load load) {
  /** How a model is loaded. */
  public sealed interface Load {}

  /** A model that chats, with or without images. */
  public record Chat(LoadOptions options) implements Load {}

  /** A dual encoder, which embeds images and texts. */
  public record Embedding(Path file, EmbeddingOptions options) implements Load {}

  public ModelSource {
    if (name.isBlank()) {
      throw new IllegalArgumentException("the name of a model must not be empty");
    }
    aliases = List.copyOf(aliases);
  }

  /** A model that chats. */
  public static ModelSource chat(String name, LoadOptions options) {
    return new ModelSource(name, List.of(), new Chat(options));
  }

  /** A dual encoder with default options. */
  public static ModelSource embedding(String name, Path file) {
    return new ModelSource(name, List.of(), new Embedding(file, EmbeddingOptions.defaults()));
  }

  /** Whether it chats; the others embed. */
  public boolean chats() {
    return load instanceof Chat;
  }

  /** The files that it consists of. */
  public List<Path> files() {
    return switch (load) {
      case Chat(LoadOptions options) -> {
        Path mmproj = options.mmproj();
        yield mmproj == null ? List.of(options.model()) : List.of(options.model(), mmproj);
      }
      case Embedding embedding -> List.of(embedding.file());
    };
  }

  /**
   * Whether a request that gives this name means this model; Ollama's {@code :latest} may follow.
   */
  public boolean isCalled(String wanted) {
    String bare = wanted.endsWith(":latest") ? wanted.substring(0, wanted.length() - 7) : wanted;
    return name.equals(wanted)
        || name.equals(bare)
        || aliases.contains(wanted)
        || aliases.contains(bare);
  }
}
