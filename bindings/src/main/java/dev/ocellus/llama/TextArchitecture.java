package dev.ocellus.llama;

import dev.ocellus.Setting;
import dev.ocellus.UnsupportedArchitectureException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The text architectures that are let through to libllama, and what its graph of each one asserts
 * about the hyperparameters. libllama knows many more; it would abort the process on a damaged file
 * of one of them, as nobody has gone through its graph yet, so they are refused.
 *
 * <p>Source: {@code src/models/*.cpp} of llama.cpp v0.4.0.
 */
enum TextArchitecture {
  LLAMA("llama", Rotary.WHOLE_HEAD, false, Window.NONE, Experts.OPTIONAL),
  MISTRAL3("mistral3", Rotary.WHOLE_HEAD, false, Window.NONE, Experts.NONE),
  SMOLLM3("smollm3", Rotary.WHOLE_HEAD, false, Window.NONE, Experts.NONE),
  QWEN("qwen", Rotary.WHOLE_HEAD, true, Window.NONE, Experts.NONE),
  QWEN2("qwen2", Rotary.WHOLE_HEAD, true, Window.NONE, Experts.NONE),
  QWEN2VL("qwen2vl", Rotary.SECTIONS, true, Window.NONE, Experts.NONE),
  QWEN2MOE("qwen2moe", Rotary.WHOLE_HEAD, true, Window.NONE, Experts.ALWAYS),
  QWEN3("qwen3", Rotary.WHOLE_HEAD, false, Window.NONE, Experts.NONE),
  QWEN3MOE("qwen3moe", Rotary.WHOLE_HEAD, false, Window.NONE, Experts.ALWAYS),
  QWEN3VL("qwen3vl", Rotary.SECTIONS, false, Window.NONE, Experts.NONE),
  QWEN3VLMOE("qwen3vlmoe", Rotary.SECTIONS, false, Window.NONE, Experts.ALWAYS),
  GEMMA("gemma", Rotary.PART, false, Window.NONE, Experts.NONE),
  GEMMA2("gemma2", Rotary.PART, false, Window.ALWAYS, Experts.NONE),
  GEMMA3("gemma3", Rotary.PART, false, Window.OPTIONAL, Experts.NONE),
  INTERNLM2("internlm2", Rotary.WHOLE_HEAD, true, Window.NONE, Experts.NONE),
  PHI3("phi3", Rotary.PART, true, Window.NONE, Experts.NONE);

  /** Which elements of a head are rotated. */
  enum Rotary {
    /** Any even number of them. */
    PART,
    /** All. */
    WHOLE_HEAD,
    /** All, each section by another axis of the position. */
    SECTIONS
  }

  /** Whether some layers see a limited number of tokens back. */
  enum Window {
    NONE,
    OPTIONAL,
    ALWAYS
  }

  /** Whether each token goes through a few of many feed-forward blocks (mixture of experts). */
  enum Experts {
    NONE,
    OPTIONAL,
    ALWAYS
  }

  /** What a file with an image encoder says; it belongs to the mmproj. */
  private static final String PROJECTOR = "clip";

  final String ggufName;
  final Rotary rotary;

  /** Whether all heads together must be as wide as the embedding. */
  final boolean headsFillEmbedding;

  final Window window;
  final Experts experts;

  TextArchitecture(
      String ggufName, Rotary rotary, boolean headsFillEmbedding, Window window, Experts experts) {
    this.ggufName = ggufName;
    this.rotary = rotary;
    this.headsFillEmbedding = headsFillEmbedding;
    this.window = window;
    this.experts = experts;
  }

  /**
   * The architecture of this name.
   *
   * @throws UnsupportedArchitectureException if it is none of these, with the remedy
   */
  static TextArchitecture of(String name, Path file) {
    for (TextArchitecture a : values()) {
      if (a.ggufName.equals(name)) {
        return a;
      }
    }
    if (name.equals(PROJECTOR)) {
      throw new UnsupportedArchitectureException(
              "%s is no text model: it holds an image encoder and projector. Give it as the mmproj, and its text model as the model."
                  .formatted(file))
          .about(Setting.MMPROJ, Setting.MODEL);
    }
    String supported =
        Arrays.stream(values()).map(a -> a.ggufName).collect(Collectors.joining(", "));
    if (Known.NAMES.contains(name)) {
      throw new UnsupportedArchitectureException(
          "%s: the text architecture \"%s\" is not supported in this release. Supported are %s."
              .formatted(file, name, supported));
    }
    String close = closest(name);
    throw new UnsupportedArchitectureException(
        "%s: unknown architecture \"%s\"%s. Supported are %s. The file is damaged, or newer than this program."
            .formatted(
                file,
                shortened(name),
                close == null ? "" : ", similar to \"" + close + "\"",
                supported));
  }

  /** For the vocabulary alone every architecture that libllama has a name for will do. */
  static void requireKnown(String name, Path file) {
    if (!Known.NAMES.contains(name)) {
      of(name, file);
    }
  }

  private static String shortened(String name) {
    return name.length() <= 64 ? name : name.substring(0, 64) + "…";
  }

  /** Loaded only when an architecture is refused. */
  private static final class Known {
    static final List<String> NAMES = read();

    private static List<String> read() {
      try (InputStream in = TextArchitecture.class.getResourceAsStream("architectures.txt")) {
        if (in == null) {
          throw new IllegalStateException("architectures.txt is missing in this build");
        }
        return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
            .lines()
            .filter(line -> !line.startsWith("#"))
            .toList();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static @Nullable String closest(String name) {
    if (name.length() > 32) {
      return null;
    }
    return Known.NAMES.stream()
        .min(Comparator.comparingInt(known -> distance(name, known)))
        .filter(known -> distance(name, known) <= 2)
        .orElse(null);
  }

  /** Edits that turn one word into the other (Levenshtein). */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
