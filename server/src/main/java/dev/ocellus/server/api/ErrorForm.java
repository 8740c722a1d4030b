package dev.ocellus.server.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.server.api.ApiException.Kind;

/** How an API writes an error. */
public enum ErrorForm {
  /** {@code {"error": {"message", "type", "param", "code"}}}. */
  OPENAI {
    @Override
    public ObjectNode write(ApiException e) {
      ObjectNode error = Json.object();
      error
          .putObject("error")
          .put("message", e.text())
          .put("type", openAiType(e.kind()))
          .put("param", e.parameter())
          .put("code", e.code());
      return error;
    }
  },
  /** {@code {"type": "error", "error": {"type", "message"}}}. */
  ANTHROPIC {
    @Override
    public ObjectNode write(ApiException e) {
      ObjectNode error = Json.object().put("type", "error");
      error.putObject("error").put("type", anthropicType(e.kind())).put("message", e.text());
      return error;
    }
  },
  /** {@code {"error": message}}. */
  OLLAMA {
    @Override
    public ObjectNode write(ApiException e) {
      return Json.object().put("error", e.text());
    }
  },
  /** llama-server's: {@code {"error": {"code", "message", "type"}}}. */
  LLAMA {
    @Override
    public ObjectNode write(ApiException e) {
      ObjectNode error = Json.object();
      error
          .putObject("error")
          .put("code", e.status())
          .put("message", e.text())
          .put("type", openAiType(e.kind()));
      return error;
    }
  };

  /** An error as the body of a reply, and as an event of a stream. */
  public abstract ObjectNode write(ApiException e);

  private static String openAiType(Kind kind) {
    return switch (kind) {
      case INVALID, METHOD, TOO_LARGE, TIMEOUT -> "invalid_request_error";
      case NOT_FOUND -> "not_found_error";
      case UNAUTHENTICATED -> "authentication_error";
      case FORBIDDEN -> "permission_error";
      case BUSY -> "rate_limit_error";
      case UNSUPPORTED -> "not_supported_error";
      case UNAVAILABLE -> "unavailable_error";
      case INTERNAL -> "server_error";
    };
  }

  private static String anthropicType(Kind kind) {
    return switch (kind) {
      case INVALID, METHOD, UNSUPPORTED -> "invalid_request_error";
      case TIMEOUT -> "timeout_error";
      case TOO_LARGE -> "request_too_large";
      case NOT_FOUND -> "not_found_error";
      case UNAUTHENTICATED -> "authentication_error";
      case FORBIDDEN -> "permission_error";
      case BUSY -> "rate_limit_error";
      case UNAVAILABLE -> "overloaded_error";
      case INTERNAL -> "api_error";
    };
  }
}
