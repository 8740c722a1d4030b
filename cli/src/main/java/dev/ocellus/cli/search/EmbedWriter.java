package dev.ocellus.cli.search;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.npy.NpyFile;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** Writes vectors as they come, however many there are. */
final class EmbedWriter {
  /**
   * A line of the output.
   *
   * @param kind image, text or image+text
   * @param input the text, or how the image was named
   * @param vector null if there is none
   * @param error why there is none
   */
  record Entry(String kind, String input, float @Nullable [] vector, @Nullable String error) {}

  private static final ObjectMapper MAPPER = new ObjectMapper();

  /**
   * What vectors are and how they are compared.
   *
   * @param dimension numbers of a vector
   */
  record Space(int dimension, float logitScale, float logitBias) {
    static Space of(DualEncoder encoder) {
      return new Space(encoder.dimension(), encoder.logitScale(), encoder.logitBias());
    }
  }

  private final Space space;
  private final Iterator<Entry> entries;

  EmbedWriter(Space space, Iterator<Entry> entries) {
    this.space = space;
    this.entries = entries;
  }

  /** To a file that is there when it is whole. */
  void write(Path file, EmbedFormat format, int count) throws IOException {
    if (format == EmbedFormat.npy) {
      NpyFile.writeRows(file, count, space.dimension(), this::row);
      return;
    }
    AtomicFile.write(
        file,
        channel -> {
          OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel));
          print(out, format);
          out.flush();
        });
  }

  /** Text to a stream, which stays open. */
  void print(OutputStream out, EmbedFormat format) throws IOException {
    switch (format) {
      case json -> printObject(out);
      case jsonl -> printLines(out);
      case csv -> printCsv(out);
      case npy -> throw new IllegalArgumentException("npy goes to files only");
    }
  }

  /** A row of NaN where there is no vector, so that rows stay in the order of the inputs. */
  private float[] row() {
    float[] vector = entries.next().vector();
    if (vector != null) {
      return vector;
    }
    float[] none = new float[space.dimension()];
    Arrays.fill(none, Float.NaN);
    return none;
  }

  private void printObject(OutputStream out) throws IOException {
    JsonGenerator json = generator(out);
    json.useDefaultPrettyPrinter();
    json.writeStartObject();
    json.writeNumberField("dimension", space.dimension());
    json.writeArrayFieldStart("vectors");
    while (entries.hasNext()) {
      printEntry(json, entries.next());
    }
    json.writeEndArray();
    json.writeNumberField("logit_scale", space.logitScale());
    json.writeNumberField("logit_bias", space.logitBias());
    json.writeEndObject();
    json.writeRaw('\n');
    json.flush();
  }

  private void printLines(OutputStream out) throws IOException {
    while (entries.hasNext()) {
      JsonGenerator json = generator(out);
      printEntry(json, entries.next());
      json.writeRaw('\n');
      json.flush();
    }
  }

  private static JsonGenerator generator(OutputStream out) throws IOException {
    return MAPPER.createGenerator(out).disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
  }

  private static void printEntry(JsonGenerator json, Entry entry) throws IOException {
    json.writeStartObject();
    json.writeStringField("kind", entry.kind());
    json.writeStringField("input", entry.input());
    float[] vector = entry.vector();
    if (vector == null) {
      json.writeStringField("error", entry.error());
    } else {
      json.writeArrayFieldStart("vector");
      for (float value : vector) {
        json.writeNumber(value);
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private void printCsv(OutputStream out) throws IOException {
    StringBuilder line = new StringBuilder("kind,input");
    for (int i = 0; i < space.dimension(); i++) {
      line.append(",v").append(i);
    }
    print(out, line);
    while (entries.hasNext()) {
      Entry entry = entries.next();
      line.append(entry.kind()).append(',').append(quoted(entry.input()));
      float[] vector = entry.vector();
      for (int i = 0; i < space.dimension(); i++) {
        line.append(',');
        if (vector != null) { // else the fields stay empty
          line.append(vector[i]);
        }
      }
      print(out, line);
    }
  }

  private static void print(OutputStream out, StringBuilder line) throws IOException {
    out.write(line.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
    line.setLength(0);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\"", "\"\"") + '"';
  }
}
