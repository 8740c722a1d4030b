package dev.ocellus.hub;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A model of Ollama: {@code [host/][namespace/]model[:tag]}.
 *
 * @param host registry; empty for the usual one
 * @param namespace user or organisation; {@code library} for Ollama's own
 * @param model name
 * @param tag size and quantization; {@code latest} by default
 * @see <a href="https://github.com/ollama/ollama">types/model/name.go of Ollama</a>
 */
public record OllamaName(Optional<String> host, String namespace, String model, String tag)
    implements ModelName {
  /** How such a name begins. */
  static final String SCHEME = "ollama:";

  static final String DEFAULT_HOST = "registry.ollama.ai";
  private static final String DEFAULT_NAMESPACE = "library";
  private static final String DEFAULT_TAG = "latest";

  private static final String PART = "[A-Za-z0-9_][A-Za-z0-9._-]{0,79}";
  private static final String HOST = "[A-Za-z0-9][A-Za-z0-9._-]{0,252}(?::[0-9]{1,5})?";
  private static final Pattern NAME =
      Pattern.compile(
          "(?:(?:(?<host>%s)/)?(?<namespace>%s)/)?(?<model>%s)(?::(?<tag>%s))?"
              .formatted(HOST, PART, PART, PART));

  /** Checks what becomes a part of paths and addresses. */
  public OllamaName {
    if (!namespace.matches(PART)
        || !model.matches(PART)
        || !tag.matches(PART)
        || !host.map(h -> h.matches(HOST)).orElse(true)) {
      throw noName(namespace + "/" + model + ":" + tag);
    }
  }

  /**
   * Reads a name, without the scheme.
   *
   * @throws HubException if it is none
   */
  public static OllamaName parse(String text) {
    Matcher m = NAME.matcher(text.strip().replaceFirst("^//", ""));
    if (!m.matches() || text.contains("..")) {
      throw noName(text);
    }
    return new OllamaName(
        Optional.ofNullable(m.group("host")),
        or(m.group("namespace"), DEFAULT_NAMESPACE),
        m.group("model"),
        or(m.group("tag"), DEFAULT_TAG));
  }

  private static HubException noName(String text) {
    return new HubException(
        HubException.Kind.NAME,
        "'%s' is no name of a model of Ollama: expected model, model:tag, user/model:tag or host/user/model:tag"
            .formatted(text));
  }

  private static String or(@Nullable String found, String otherwise) {
    return found == null ? otherwise : found;
  }

  /** The host, as Ollama's store names its folder. */
  String hostOrDefault() {
    return host.orElse(DEFAULT_HOST);
  }

  @Override
  public String toString() {
    return SCHEME
        + host.map(h -> h + "/").orElse("")
        + (namespace.equals(DEFAULT_NAMESPACE) && host.isEmpty() ? "" : namespace + "/")
        + model
        + ":"
        + tag;
  }
}
