package dev.ocellus.convert.hf;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.vlm.python.PythonJsonFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Reads JSON files of a checkpoint; none can be so large or so deep that it does harm. */
public final class JsonFiles {
  /** Streams tokenizers, which take tens of megabytes. */
  public static final JsonFactory FACTORY =
      new PythonJsonFactory(
          StreamReadConstraints.builder()
              .maxNestingDepth(64)
              .maxNameLength(1 << 16)
              .maxStringLength(1 << 24));

  private static final ObjectMapper MAPPER = new ObjectMapper(FACTORY);

  private JsonFiles() {}

  /**
   * Reads an object.
   *
   * @throws IOException if the file is missing or cannot be read
   * @throws ConversionException if it is not a JSON object
   */
  public static ObjectNode object(Path file) throws IOException {
    if (read(file) instanceof ObjectNode node) {
      return node;
    }
    throw ConversionException.at(
        file, "file", "a JSON object", "something else", "Download the file again.");
  }

  /** Reads an object, or nothing where there is no such file. */
  public static Optional<ObjectNode> findObject(Path file) throws IOException {
    return Files.exists(file) ? Optional.of(object(file)) : Optional.empty();
  }

  private static JsonNode read(Path file) throws IOException {
    try {
      return MAPPER.readTree(CheckpointFiles.read(file, ".json"));
    } catch (com.fasterxml.jackson.core.JacksonException e) {
      throw damaged(file, e);
    }
  }

  /** What the parser says, with the place and without the source around it. */
  public static ConversionException damaged(
      Path file, com.fasterxml.jackson.core.JacksonException e) {
    var location = e.getLocation();
    String where =
        location == null
            ? ""
            : " at line %d, column %d".formatted(location.getLineNr(), location.getColumnNr());
    return new ConversionException(
        "%s: not valid JSON%s: %s. Download the file again."
            .formatted(file, where, String.valueOf(e.getOriginalMessage())),
        e);
  }
}
