package dev.ocellus.vlm.template;

import static java.util.Objects.requireNonNull;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** The templates and renderings of the reference: the bundled ones, or those of a directory. */
final class Corpus {
  static final LocalDateTime NOW = LocalDateTime.of(2025, 7, 26, 12, 34, 56);

  /** A rendering: {@code expected} is null where the reference raises an error. */
  record Case(
      String name,
      String template,
      Map<String, @Nullable Object> context,
      @Nullable String expected) {}

  private final @Nullable Path directory;

  private Corpus(@Nullable Path directory) {
    this.directory = directory;
  }

  static Corpus bundled() {
    return new Corpus(null);
  }

  /** The directory that {@code -Docellus.templates} names, else the bundled corpus. */
  static Corpus selected() {
    String directory = System.getProperty("ocellus.templates");
    return new Corpus(directory == null ? null : Path.of(directory));
  }

  String template(String name) {
    return read("templates/" + name);
  }

  /** What each template makes of each input. */
  List<Case> renderings() {
    Map<String, @Nullable Object> inputs = ContextJson.parse(read("inputs.json"));
    Map<String, String> templates = new LinkedHashMap<>();
    List<Case> cases = new ArrayList<>();
    for (String line : lines("expected.jsonl")) {
      Map<String, @Nullable Object> c = ContextJson.parse(line);
      String name = text(c, "template");
      String source = templates.computeIfAbsent(name, this::template);
      Object own = c.get("context");
      Object context = own == null ? inputs.get(text(c, "input")) : own;
      cases.add(
          new Case(
              name + " / " + text(c, "input"),
              source,
              object(context),
              (String) c.get("expected")));
    }
    return cases;
  }

  /** One-line templates; none where the directory has no such file. */
  List<Case> lines(String name, boolean required) {
    if (!required && !exists(name + ".jsonl")) {
      return List.of();
    }
    Map<String, @Nullable Object> shared =
        exists(name + "-context.json") ? ContextJson.parse(read(name + "-context.json")) : Map.of();
    List<Case> cases = new ArrayList<>();
    for (String line : lines(name + ".jsonl")) {
      Map<String, @Nullable Object> c = ContextJson.parse(line);
      Object own = c.get("context");
      String template = text(c, "template");
      cases.add(
          new Case(
              template, template, own == null ? shared : object(own), (String) c.get("expected")));
    }
    return cases;
  }

  private static String text(Map<String, @Nullable Object> c, String key) {
    return (String) requireNonNull(c.get(key));
  }

  @SuppressWarnings("unchecked") // JSON objects have string keys
  private static Map<String, @Nullable Object> object(@Nullable Object o) {
    return (Map<String, @Nullable Object>) requireNonNull(o);
  }

  private boolean exists(String name) {
    return directory == null
        ? Corpus.class.getResource(name) != null
        : Files.exists(directory.resolve(name));
  }

  private InputStream open(String name) throws IOException {
    if (directory != null) {
      return Files.newInputStream(directory.resolve(name));
    }
    return requireNonNull(Corpus.class.getResourceAsStream(name), name);
  }

  private String read(String name) {
    try (InputStream in = open(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AssertionError("cannot read " + name, e);
    }
  }

  private List<String> lines(String name) {
    boolean packed = !exists(name);
    try (InputStream in = open(packed ? name + ".gz" : name);
        InputStream plain = packed ? new GZIPInputStream(in) : in;
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(plain, StandardCharsets.UTF_8))) {
      List<String> lines = new ArrayList<>();
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.add(line);
      }
      return lines;
    } catch (IOException e) {
      throw new AssertionError("cannot read " + name, e);
    }
  }
}
