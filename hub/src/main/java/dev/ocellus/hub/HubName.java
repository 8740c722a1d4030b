package dev.ocellus.hub;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A model in a repository of HuggingFace's hub.
 *
 * @param repository {@code org/name}, or the {@code name} of a few old ones
 * @param revision branch, tag or commit; {@code main} if empty
 * @param quant which of several GGUF files, such as {@code Q4_K_M}
 * @param file path of exactly this file in the repository
 */
public record HubName(
    String repository, Optional<String> revision, Optional<String> quant, Optional<String> file)
    implements ModelName {
  /** What is taken where no revision is named. */
  static final String DEFAULT_REVISION = "main";

  private static final String PART = "[A-Za-z0-9][A-Za-z0-9._-]{0,95}";
  private static final Pattern NAME =
      Pattern.compile(
          "(?<repo>%s(?:/%s)?)(?:@(?<revision>[A-Za-z0-9._/-]{1,200}?))?(?::(?<quant>[A-Za-z0-9._-]{1,64})|/(?<file>[^:]+))?"
              .formatted(PART, PART));
  private static final Pattern PAGE = Pattern.compile("/(?:resolve|blob|tree)/([^/]+)(/.*)?");

  /** Checks what becomes a part of paths and addresses. */
  public HubName {
    if (!Pattern.matches(PART + "(?:/" + PART + ")?", repository) || repository.contains("..")) {
      throw noName(repository);
    }
    revision.ifPresent(r -> {
      if (r.contains("..") || r.startsWith("/") || r.endsWith("/")) {
        throw noName(repository + "@" + r);
      }
    });
    file.ifPresent(SafePath::check);
  }

  /**
   * Reads {@code org/repo[@revision][:quant | /file]}, or the address of its page.
   *
   * @throws HubException if it is none
   */
  public static HubName parse(String text) {
    String rest = text.strip();
    while (rest.startsWith("/")) {
      rest = rest.substring(1);
    }
    if (rest.startsWith("huggingface.co/")) {
      rest = fromPage(rest.substring("huggingface.co/".length()));
    }
    Matcher m = NAME.matcher(rest);
    if (!m.matches()) {
      throw noName(rest);
    }
    return new HubName(
        m.group("repo"),
        Optional.ofNullable(m.group("revision")),
        Optional.ofNullable(m.group("quant")),
        Optional.ofNullable(m.group("file")));
  }

  /** {@code org/repo/resolve/main/x.gguf} as in a browser to {@code org/repo@main/x.gguf}. */
  private static String fromPage(String page) {
    String path = page.replaceFirst("[?#].*", "").replaceFirst("/$", "");
    Matcher m = PAGE.matcher(path);
    return m.find() ? path.substring(0, m.start()) + "@" + rest(m) : path;
  }

  private static String rest(Matcher m) {
    return m.group(1) + (m.group(2) == null ? "" : m.group(2));
  }

  private static HubException noName(String text) {
    return new HubException(
        HubException.Kind.NAME,
        "'%s' is no name of a model on the hub: expected org/repo, org/repo:QUANT, org/repo@revision or org/repo/file.gguf"
            .formatted(text));
  }

  /** The revision, or the one that stands for the newest. */
  String revisionOrDefault() {
    return revision.orElse(DEFAULT_REVISION);
  }

  @Override
  public String toString() {
    return "hf://"
        + repository
        + revision.map(r -> "@" + r).orElse("")
        + quant.map(q -> ":" + q).orElse("")
        + file.map(f -> "/" + f).orElse("");
  }
}
