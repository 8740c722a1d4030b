package dev.ocellus.server.model;

import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.server.options.ModelSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the files of a model say about it. Read when it is first asked for. */
public final class ModelFiles {
  /**
   * What clients show.
   *
   * @param architecture GGUF's word for it
   * @param parameters number of weights
   * @param type of most weights
   * @param contextLength that it was trained with; 0 where nobody says
   * @param template of chats; empty where there is none
   * @param metadata of the text model, without its vocabulary
   * @param projector metadata of the image encoder; empty where there is none
   */
  public record Description(
      String architecture,
      long parameters,
      String type,
      long contextLength,
      String template,
      Map<String, Object> metadata,
      Map<String, Object> projector) {}

  private final ModelSource source;
  private volatile @Nullable Description description;

  ModelFiles(ModelSource source) {
    this.source = source;
  }

  /** Bytes of all files; 0 if one cannot be read. */
  public long bytes() {
    try {
      long bytes = 0;
      for (Path file : source.files()) {
        bytes += MemoryEstimate.size(file);
      }
      return bytes;
    } catch (IOException e) {
      return 0;
    }
  }

  /** When the first file was changed. */
  public Instant modified() {
    try {
      return Files.getLastModifiedTime(source.files().getFirst()).toInstant();
    } catch (IOException e) {
      return Instant.EPOCH;
    }
  }

  /** Names the model as its sizes and times do: reading it all would take minutes. */
  public String digest() {
    String text = source.name() + " " + bytes() + " " + modified();
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Whether it looks at images. */
  public boolean seesImages() {
    return source.files().size() > 1 || !source.chats();
  }

  /**
   * What the headers of the files say.
   *
   * @throws IOException if they cannot be read
   */
  public Description description() throws IOException {
    Description known = description;
    if (known == null) {
      known = read();
      description = known;
    }
    return known;
  }

  private Description read() throws IOException {
    Path first = source.files().getFirst();
    if (Files.isDirectory(first)) {
      return new Description("", 0, "", 0, "", Map.of(), Map.of());
    }
    Map<String, Object> projector = Map.of();
    if (source.files().size() > 1) {
      try (GgufFile file = GgufFile.open(source.files().get(1))) {
        projector = shown(file.metadata());
      }
    }
    try (GgufFile file = GgufFile.open(first)) {
      GgufMetadata data = file.metadata();
      String architecture = data.string("general.architecture", "");
      long parameters = file.tensors().stream().mapToLong(t -> t.nElements()).sum();
      String type =
          file.tensors().stream()
              .max((a, b) -> Long.compare(a.nElements(), b.nElements()))
              .map(t -> t.type().name())
              .orElse("");
      return new Description(
          architecture,
          parameters,
          type,
          data.integer(architecture + ".context_length", 0),
          data.findString("tokenizer.chat_template").orElse(""),
          shown(data),
          projector);
    }
  }

  private static Map<String, Object> shown(GgufMetadata data) {
    Map<String, Object> shown = new LinkedHashMap<>();
    for (Map.Entry<String, GgufValue> entry : data.asMap().entrySet()) {
      if (entry.getKey().startsWith("tokenizer.chat_template")) {
        continue;
      }
      switch (entry.getValue()) {
        case GgufString text -> shown.put(entry.getKey(), text.value());
        case GgufValue.Int number -> shown.put(entry.getKey(), number.value());
        case GgufValue.Real number -> shown.put(entry.getKey(), number.value());
        case GgufValue.Bool flag -> shown.put(entry.getKey(), flag.value());
        case GgufArray list -> {} // a vocabulary mostly
      }
    }
    return shown;
  }
}
