package dev.ocellus.hub;

import dev.ocellus.hub.HubException.Kind;

/** What a server's refusal means, and what can be done about it. */
final class Refusals {
  private static final int UNAUTHORIZED = 401;
  private static final int FORBIDDEN = 403;
  private static final int NOT_FOUND = 404;
  private static final int GONE = 410;

  private Refusals() {}

  /** The exception for an answer that is neither what was asked for nor worth another try. */
  static HubException of(Http.Answer answer, String what, boolean hasToken) {
    String host = answer.address().getHost();
    String code = answer.header("X-Error-Code").orElse("");
    return switch (answer.status()) {
      case UNAUTHORIZED, FORBIDDEN ->
          code.equals("GatedRepo")
              ? new HubException(Kind.NOT_ALLOWED, gated(what, host, hasToken))
              : notAllowed(what, host, hasToken, answer.status());
      case NOT_FOUND, GONE ->
          new HubException(
              Kind.NOT_FOUND, "%s is not on %s%s.".formatted(what, host, reason(code)));
      default ->
          new HubException(
              Kind.PROTOCOL,
              "%s answered the request for %s with status %d"
                  .formatted(host, what, answer.status()));
    };
  }

  private static String gated(String what, String host, boolean hasToken) {
    return "%s is gated: accept its terms on its page on %s, signed in%s."
        .formatted(
            what,
            host,
            hasToken
                ? " with the account that the token belongs to"
                : ", then set HF_TOKEN to a token of that account");
  }

  private static HubException notAllowed(String what, String host, boolean hasToken, int status) {
    return new HubException(
        status == UNAUTHORIZED && !hasToken ? Kind.NOT_FOUND : Kind.NOT_ALLOWED,
        hasToken
            ? "%s does not let this token read %s (status %d). Is the token right, and may it read this repository?"
                .formatted(host, what, status)
            : "%s is not on %s, or it is private (status %d). Check the name; for a private or gated repository set HF_TOKEN."
                .formatted(what, host, status));
  }

  private static String reason(String code) {
    return switch (code) {
      case "RepoNotFound" -> ": there is no such repository, or it is private (then set HF_TOKEN)";
      case "RevisionNotFound" -> ": there is no such revision";
      case "EntryNotFound" -> ": there is no such file";
      default -> "";
    };
  }
}
