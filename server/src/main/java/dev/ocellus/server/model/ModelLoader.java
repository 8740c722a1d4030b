package dev.ocellus.server.model;

import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.server.api.ApiException;
import dev.ocellus.server.api.ApiException.Kind;
import dev.ocellus.server.options.HostingOptions;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import java.io.IOException;
import java.lang.System.Logger.Level;

/** Makes what computes of a model's files. */
@FunctionalInterface
interface ModelLoader {
  /** Loads the files as they are. */
  ModelLoader FILES =
      (source, options) ->
          switch (source.load()) {
            case ModelSource.Chat chat ->
                new ChatEngine(
                    VisionLanguageModel.open(AttentionChoice.in(chat.options())), options);
            case ModelSource.Embedding embedding ->
                DualEncoder.open(embedding.file(), embedding.options());
          };

  /** A {@link ChatEngine} or a {@link DualEncoder}. */
  AutoCloseable load(ModelSource source, HostingOptions options) throws IOException;

  /** What to tell whoever asked for a model; why it is so is for the log, which may name files. */
  static ApiException failure(String name, Throwable cause) {
    System.getLogger(ModelHost.class.getName())
        .log(Level.ERROR, "the model " + name + " cannot be loaded", cause);
    return cause instanceof OutOfMemoryError || cause instanceof OutOfDeviceMemoryException
        ? new ApiException(
            Kind.UNAVAILABLE, "there is no memory for the model %s".formatted(name), cause)
        : new ApiException(
            Kind.INTERNAL,
            "the model %s cannot be loaded; the server's log says why".formatted(name),
            cause);
  }
}
