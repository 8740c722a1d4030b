package dev.ocellus.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads and validates the JSON header of a safetensors file. It is streamed, not loaded as a tree,
 * as it may take many megabytes.
 *
 * <p>Format: <a href="https://github.com/huggingface/safetensors#format">safetensors</a>.
 */
final class SafetensorsHeader {
  /** The format's own limit on the header. */
  static final long MAX_HEADER_BYTES = 100_000_000;

  private static final int MAX_TENSORS = 1 << 18;
  private static final int MAX_DIMS = 8;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder().maxNestingDepth(8).maxNameLength(4096).build())
          .build();

  /** A tensor; offsets count from the start of the data. */
  record Entry(SafetensorsType type, List<Long> shape, long begin, long end) {}

  final Map<String, Entry> tensors = new LinkedHashMap<>();
  final Map<String, String> metadata = new LinkedHashMap<>();

  private final Path file;
  private final long dataBytes;

  private SafetensorsHeader(Path file, long dataBytes) {
    this.file = file;
    this.dataBytes = dataBytes;
  }

  /**
   * @param json the header only
   * @param dataBytes bytes that follow the header in the file
   */
  static SafetensorsHeader parse(Path file, InputStream json, long dataBytes) {
    SafetensorsHeader h = new SafetensorsHeader(file, dataBytes);
    try (JsonParser p = JSON.createParser(json)) {
      h.root(p);
    } catch (IOException e) {
      throw new SafetensorsFormatException(
          file,
          "header",
          "valid JSON",
          String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          e);
    }
    h.checkOverlap();
    return h;
  }

  private void root(JsonParser p) throws IOException {
    expect(p.nextToken() == JsonToken.START_OBJECT, "header", "a JSON object", "something else");
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String name = p.currentName();
      expect(
          p.nextToken() == JsonToken.START_OBJECT, what(name), "a JSON object", "something else");
      if (name.equals("__metadata__")) {
        metadata(p);
      } else {
        expect(tensors.size() < MAX_TENSORS, "header", "at most " + MAX_TENSORS, "more tensors");
        tensors.put(name, tensor(p, name));
      }
    }
    expect(p.nextToken() == null, "header", "one JSON object", "something behind it");
  }

  private void metadata(JsonParser p) throws IOException {
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String key = p.currentName();
      expect(p.nextToken() == JsonToken.VALUE_STRING, "__metadata__", "strings", "another type");
      metadata.put(key, p.getText());
    }
  }

  private Entry tensor(JsonParser p, String name) throws IOException {
    String typeName = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String key = p.currentName();
      JsonToken value = p.nextToken();
      switch (key) {
        case "dtype" -> {
          expect(value == JsonToken.VALUE_STRING, what(name), "a string as dtype", "another type");
          typeName = p.getText();
        }
        case "shape" -> shape = numbers(p, value, name);
        case "data_offsets" -> offsets = numbers(p, value, name);
        default ->
            throw bad(what(name), "dtype, shape and data_offsets", "the key " + quote(key), null);
      }
    }
    if (typeName == null || shape == null || offsets == null || offsets.size() != 2) {
      throw bad(what(name), "dtype, shape and two data_offsets", "not all of them", null);
    }
    return checked(name, typeName, shape, offsets.get(0), offsets.get(1));
  }

  private Entry checked(String name, String typeName, List<Long> shape, long begin, long end) {
    SafetensorsType type = SafetensorsType.named(typeName);
    if (type == null) {
      throw bad(what(name), "a dtype that is known", quote(typeName), null);
    }
    expect(begin <= end, what(name), "data_offsets that ascend", begin + ", " + end);
    expect(
        end <= dataBytes,
        what(name),
        "data that ends at " + end,
        "a file with %d bytes of data, so %d are missing".formatted(dataBytes, end - dataBytes));
    boolean empty = shape.contains(0L);
    long bytes = empty ? 0 : type.bytes();
    for (long d : shape) {
      expect(
          bytes == 0 || d <= Long.MAX_VALUE / bytes,
          what(name),
          "a size in range",
          shape.toString());
      bytes *= d;
    }
    expect(
        bytes == end - begin,
        what(name),
        bytes + " bytes for shape " + shape + " of " + type,
        (end - begin) + " in data_offsets");
    return new Entry(type, List.copyOf(shape), begin, end);
  }

  private List<Long> numbers(JsonParser p, @Nullable JsonToken start, String name)
      throws IOException {
    expect(start == JsonToken.START_ARRAY, what(name), "an array of numbers", "another type");
    List<Long> out = new ArrayList<>(4);
    while (p.nextToken() == JsonToken.VALUE_NUMBER_INT) {
      expect(out.size() < MAX_DIMS, what(name), "at most " + MAX_DIMS + " numbers", "more");
      long v = p.getLongValue(); // too large a number is an IOException
      expect(v >= 0, what(name), "numbers from 0", Long.toString(v));
      out.add(v);
    }
    expect(
        p.currentToken() == JsonToken.END_ARRAY,
        what(name),
        "an array of integers",
        "another type");
    return out;
  }

  private void checkOverlap() {
    List<Map.Entry<String, Entry>> sorted = new ArrayList<>(tensors.entrySet());
    sorted.removeIf(e -> e.getValue().begin() == e.getValue().end());
    sorted.sort(Comparator.comparingLong(e -> e.getValue().begin()));
    for (int i = 1; i < sorted.size(); i++) {
      Map.Entry<String, Entry> before = sorted.get(i - 1);
      expect(
          before.getValue().end() <= sorted.get(i).getValue().begin(),
          what(sorted.get(i).getKey()),
          "data that no other tensor has",
          "data shared with " + quote(before.getKey()));
    }
  }

  private void expect(boolean ok, String what, String expected, String found) {
    if (!ok) {
      throw bad(what, expected, found, null);
    }
  }

  private SafetensorsFormatException bad(
      String what, String expected, String found, @Nullable Throwable cause) {
    return new SafetensorsFormatException(file, what, expected, found, cause);
  }

  private static String what(String name) {
    return "tensor " + quote(name);
  }

  /** Short and without control characters, as it goes into messages. */
  static String quote(String s) {
    String start = s.length() > 80 ? s.substring(0, 80) + "…" : s;
    return "'" + start.replaceAll("\\p{Cntrl}", "\ufffd") + "'";
  }
}
