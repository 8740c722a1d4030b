package dev.ocellus.server.api;

import dev.ocellus.OcellusException;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.server.api.ApiException.Kind;
import dev.ocellus.server.http.BodyTooLargeException;
import dev.ocellus.server.http.ClientLeftException;
import dev.ocellus.vlm.chat.ToolFormatException;
import dev.ocellus.vlm.grammar.GrammarException;
import dev.ocellus.vlm.grammar.schema.JsonSchemaException;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.json.MessagesFormatException;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.sampling.SamplingException;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.lang.System.Logger.Level;
import java.net.SocketTimeoutException;

/** What went wrong inside, as an error of the API. */
public final class Failures {
  private static final System.Logger LOGGER = System.getLogger(Failures.class.getName());

  private Failures() {}

  /** The error to answer with. Faults of the server are logged, and not described to the client. */
  public static ApiException of(Throwable e) {
    return switch (e) {
      case ApiException api -> api;
      case ContextOverflowException overflow -> ApiException.tooLong(text(e), e);
      case BodyTooLargeException tooLarge -> new ApiException(Kind.TOO_LARGE, text(e), e);
      case ClientLeftException left -> new ApiException(Kind.TIMEOUT, text(e), e);
      case SocketTimeoutException slow -> new ApiException(Kind.TIMEOUT, text(e), e);
      case OutOfMemoryError heap -> noMemory(e);
      case OutOfDeviceMemoryException device -> noMemory(e);
      case OcellusException ours when isForWantOfMemory(ours) -> noMemory(e);
      case OcellusException ours when isAboutTheRequest(ours) ->
          new ApiException(Kind.INVALID, text(e), e);
      case IllegalArgumentException argument -> new ApiException(Kind.INVALID, text(e), e);
      default -> internal(e);
    };
  }

  /** Decoders say by an exception of their own that the heap is too small. */
  private static boolean isForWantOfMemory(OcellusException e) {
    Throwable cause = e.getCause();
    while (cause != null && !(cause instanceof OutOfMemoryError)) {
      cause = cause.getCause();
    }
    return cause != null;
  }

  private static boolean isAboutTheRequest(OcellusException e) {
    return e instanceof MessagesFormatException
        || e instanceof ImageFormatException
        || e instanceof JsonSchemaException
        || e instanceof GrammarException
        || e instanceof ToolFormatException
        || e instanceof PromptException
        || e instanceof TemplateException
        || e instanceof UnsupportedContentException
        || (e instanceof SamplingException none
            && none.nanCount() == 0 // else the model is broken
            && none.positiveInfinityCount() == 0);
  }

  private static ApiException noMemory(Throwable e) {
    LOGGER.log(Level.WARNING, "no memory for a request", e);
    return new ApiException(
        Kind.UNAVAILABLE, "the server has no memory left for this request; try again later", e);
  }

  private static ApiException internal(Throwable e) {
    LOGGER.log(Level.ERROR, "a request failed", e);
    return new ApiException(Kind.INTERNAL, "the server failed to answer; its log says why", e);
  }

  private static String text(Throwable e) {
    String message = e.getMessage();
    return message == null ? e.getClass().getSimpleName() : message;
  }
}
