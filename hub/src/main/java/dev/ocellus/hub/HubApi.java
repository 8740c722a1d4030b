package dev.ocellus.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.hub.HubException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the hub says about repositories. */
final class HubApi {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern COMMIT = Pattern.compile("[0-9A-Za-z][0-9A-Za-z_-]{5,127}");
  private static final Pattern NEXT = Pattern.compile("<([^>]+)>\\s*;\\s*rel=\"next\"");
  private static final int MAX_PAGES = 1000;

  private final Http http;
  private final HubSettings settings;

  HubApi(Http http, HubSettings settings) {
    this.http = http;
    this.settings = settings;
  }

  /** What a repository holds at a revision, with the commit that it stands for. */
  Listing list(HubName name) {
    String commit = commit(name);
    List<HubFile> files = new ArrayList<>();
    Optional<URI> page =
        Optional.of(
            address("/api/models/%s/tree/%s?recursive=true".formatted(name.repository(), commit)));
    for (int i = 0; page.isPresent() && i < MAX_PAGES; i++) {
      page = page(name, page.get(), files);
    }
    return new Listing(commit, List.copyOf(files));
  }

  private Optional<URI> page(HubName name, URI page, List<HubFile> into) {
    return http.get(
        page,
        Map.of(),
        settings.token(),
        answer -> {
          for (JsonNode entry : json(answer, name.repository())) {
            if (entry.path("type").asText("file").equals("file")) {
              into.add(file(entry));
            }
          }
          Matcher next = NEXT.matcher(answer.header("Link").orElse(""));
          URI more = next.find() ? HttpAddress.redirect(page, next.group(1)) : null;
          return Optional.ofNullable(more).filter(to -> HttpAddress.isSameServer(page, to));
        });
  }

  private static HubFile file(JsonNode entry) {
    JsonNode lfs = entry.path("lfs");
    String hash = lfs.isObject() ? lfs.path("oid").asText("") : entry.path("oid").asText("");
    long size = lfs.has("size") ? lfs.path("size").asLong(-1) : entry.path("size").asLong(-1);
    String path = entry.path("path").asText("");
    if (!SafePath.isSafe(path) || size < 0 || !FileHash.isHash(hash)) {
      throw new HubException(
          Kind.PROTOCOL,
          "The hub's list of files has an entry that is no file: %s"
              .formatted(entry.toString().replaceAll("\\p{Cntrl}", "?")));
    }
    return new HubFile(path, size, hash);
  }

  /** The commit that a revision stands for; of the first branch if there is no {@code main}. */
  private String commit(HubName name) {
    String repository = name.repository();
    String wanted = name.revisionOrDefault();
    Optional<String> commit =
        http.get(
            address("/api/models/%s/refs".formatted(repository)),
            Map.of(),
            settings.token(),
            answer -> {
              if (answer.status() == 404 && answer.header("X-Error-Code").isEmpty()) {
                return Optional.empty(); // a mirror that does not have this
              }
              return find(json(answer, repository), wanted, name.revision().isEmpty());
            });
    return commit.orElseGet(() -> commitOf(repository, wanted));
  }

  private static Optional<String> find(JsonNode refs, String wanted, boolean orFirst) {
    for (String kind : List.of("branches", "tags", "converts", "pullRequests")) {
      for (JsonNode ref : refs.path(kind)) {
        if (ref.path("name").asText().equals(wanted) || ref.path("ref").asText().equals(wanted)) {
          return Optional.of(checked(ref.path("targetCommit").asText()));
        }
      }
    }
    JsonNode first = refs.path("branches").path(0).path("targetCommit");
    return orFirst && first.isTextual() ? Optional.of(checked(first.asText())) : Optional.empty();
  }

  private String commitOf(String repository, String revision) {
    return http.get(
        address("/api/models/%s/revision/%s".formatted(repository, encoded(revision))),
        Map.of(),
        settings.token(),
        answer -> checked(json(answer, repository).path("sha").asText()));
  }

  private static String checked(String commit) {
    if (!COMMIT.matcher(commit).matches()) {
      throw new HubException(Kind.PROTOCOL, "The hub names no commit for the revision");
    }
    return commit;
  }

  private JsonNode json(Http.Answer answer, String repository) throws IOException {
    if (!answer.isOk()) {
      throw Refusals.of(answer, repository, settings.token().isPresent());
    }
    try {
      return JSON.readTree(answer.bytes());
    } catch (JsonProcessingException e) {
      throw new HubException(
          Kind.PROTOCOL,
          "%s did not answer as the hub does; is a proxy or a sign-in page in between?"
              .formatted(answer.address().getHost()),
          e);
    }
  }

  /** Where a file is fetched. */
  RemoteFile remote(HubName name, String commit, HubFile file) {
    return new RemoteFile(
        file.path(),
        address(
            "/%s/resolve/%s/%s"
                .formatted(name.repository(), encoded(commit), encodedPath(file.path()))),
        settings.token(),
        file.size(),
        Optional.of(new FileHash(file.hash())));
  }

  private URI address(String path) {
    return URI.create(settings.endpoint() + path);
  }

  private static String encodedPath(String path) {
    StringBuilder all = new StringBuilder();
    for (String part : path.split("/")) {
      all.append(all.isEmpty() ? "" : "/").append(encoded(part));
    }
    return all.toString();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
  }

  /**
   * What a repository holds.
   *
   * @param commit what the revision stands for
   */
  record Listing(String commit, List<HubFile> files) {}
}
