package dev.ocellus.server.api;

import dev.ocellus.OcellusException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A request that is answered with an error, which each API writes in its own form. */
public final class ApiException extends OcellusException {
  private static final long serialVersionUID = 1;

  /** What kind of error it is; APIs have words of their own for these. */
  public enum Kind {
    /** The request makes no sense. */
    INVALID(400),
    /** No key, or a wrong one. */
    UNAUTHENTICATED(401),
    /** Not from there, or not this. */
    FORBIDDEN(403),
    /** No such model or place. */
    NOT_FOUND(404),
    /** Not with this method. */
    METHOD(405),
    /** The client took too long. */
    TIMEOUT(408),
    /** The body is too long. */
    TOO_LARGE(413),
    /** Too many requests are waiting. */
    BUSY(429),
    /** A fault of the server. */
    INTERNAL(500),
    /** Known, but not to be had here. */
    UNSUPPORTED(501),
    /** The server is being stopped, or has no memory for the model. */
    UNAVAILABLE(503);

    private final int status;

    Kind(int status) {
      this.status = status;
    }

    /** HTTP's status code. */
    public int status() {
      return status;
    }
  }

  private final Kind kind;
  private final @Nullable String parameter;
  private final @Nullable String code;

  private ApiException(
      Kind kind,
      @Nullable String parameter,
      @Nullable String code,
      String message,
      @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
    this.parameter = parameter;
    this.code = code;
  }

  public ApiException(Kind kind, String message) {
    this(kind, null, null, message, null);
  }

  public ApiException(Kind kind, String message, @Nullable Throwable cause) {
    this(kind, null, null, message, cause);
  }

  /** A parameter of a request that makes no sense. */
  public static ApiException invalid(String parameter, String message) {
    return new ApiException(Kind.INVALID, parameter, null, message, null);
  }

  /** Something that this server does not do. */
  public static ApiException unsupported(String parameter, String message) {
    return new ApiException(Kind.INVALID, parameter, "unsupported_parameter", message, null);
  }

  /** No such model. */
  public static ApiException noModel(String name, String hint) {
    return new ApiException(
        Kind.NOT_FOUND,
        "model",
        "model_not_found",
        "model '%s' not found; %s".formatted(name, hint),
        null);
  }

  /** The conversation is longer than the context. */
  public static ApiException tooLong(String message, Throwable cause) {
    return new ApiException(Kind.INVALID, "messages", "context_length_exceeded", message, cause);
  }

  public Kind kind() {
    return kind;
  }

  public int status() {
    return kind.status();
  }

  /** The parameter that is wrong, as far as it is one. */
  public @Nullable String parameter() {
    return parameter;
  }

  /** A word for programs. */
  public @Nullable String code() {
    return code;
  }

  /** What clients should know besides. */
  public Map<String, String> headers() {
    return switch (kind) {
      case UNAUTHENTICATED -> Map.of("WWW-Authenticate", "Bearer");
      case BUSY, UNAVAILABLE -> Map.of("Retry-After", "1");
      default -> Map.of();
    };
  }

  /** The message, which is never null here. */
  public String text() {
    return String.valueOf(getMessage());
  }
}
