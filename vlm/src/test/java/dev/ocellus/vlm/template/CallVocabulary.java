package dev.ocellus.vlm.template;

import static java.util.Objects.requireNonNull;

import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.grammar.GrammarVocabulary;
import dev.ocellus.vlm.grammar.TestVocabulary;
import dev.ocellus.vlm.tool.AnswerFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A real vocabulary, to which markers of calls can be added as control tokens. */
final class CallVocabulary implements AutoCloseable {
  /** Texts that answers with calls consist of; models that call tools prefer them. */
  private static final List<String> LIKELY =
      List.of(
          "{\"",
          "\"",
          "\":",
          ", \"",
          "}",
          "}}",
          "]",
          "[",
          " ",
          "\n",
          "Rome",
          "C",
          "true",
          "-1.5",
          "7",
          "</tool_call>",
          "</parameter>",
          "<",
          "</",
          "[TOOL_CALLS]",
          "<|tool_call_end|>",
          ">>>",
          "é",
          "\\",
          "<function=x>",
          "'",
          "null",
          ">",
          "```",
          "</function>");

  private final TestVocabulary real;
  private final int[] ends;

  /** Tokens by their text, and by their byte. */
  private final Map<String, Integer> pieces = new TreeMap<>();

  private CallVocabulary(TestVocabulary real) {
    this.real = real;
    Vocab vocab = real.vocab();
    ends = IntStream.range(0, vocab.nTokens()).filter(vocab::isEndOfGeneration).toArray();
    for (int t = vocab.nTokens() - 1; t >= 0; t--) {
      byte[] piece = vocab.piece(t, false);
      pieces.put(new String(piece, StandardCharsets.UTF_8), t);
      if (piece.length == 1) {
        pieces.put("byte " + (piece[0] & 0xFF), t);
      }
    }
  }

  static CallVocabulary open() throws IOException {
    return new CallVocabulary(TestVocabulary.open());
  }

  @Override
  public void close() {
    real.close();
  }

  /** Tokens that end an answer. */
  int[] ends() {
    return ends.clone();
  }

  /**
   * @param control whether markers of the format are control tokens of their own
   */
  Tokens tokens(AnswerFormat format, boolean control) {
    Vocab vocab = real.vocab();
    int n = vocab.nTokens();
    List<String> markers = new ArrayList<>();
    if (control) {
      format.markers().stream().filter(m -> m.startsWith("<")).forEach(markers::add);
      Stream.of(
              "<｜tool▁call▁begin｜>",
              "<｜tool▁sep｜>",
              "<|tool_call_begin|>",
              "[ARGS]",
              "<arg_key>",
              "</arg_value>")
          .filter(format::isMarker)
          .forEach(markers::add);
    }
    Map<Integer, String> shown = new LinkedHashMap<>();
    markers.stream().distinct().forEach(m -> shown.put(n + shown.size(), m));
    return new Tokens(
        this,
        new GrammarVocabulary(
            n + shown.size(),
            t -> t < n ? vocab.piece(t, false) : new byte[0],
            t -> t < n && vocab.isEndOfGeneration(t)),
        shown);
  }

  /** The vocabulary, with markers as control tokens or without. */
  record Tokens(CallVocabulary base, GrammarVocabulary vocabulary, Map<Integer, String> shown) {
    byte[] bytes(int token) {
      String marker = shown.get(token);
      return marker != null
          ? marker.getBytes(StandardCharsets.UTF_8)
          : base.real.vocab().piece(token, false);
    }

    int[] of(String text) {
      for (Map.Entry<Integer, String> entry : shown.entrySet()) {
        if (entry.getValue().equals(text)) {
          return new int[] {entry.getKey()};
        }
      }
      return base.real.vocab().tokenize(text, false);
    }

    /** Tokens of what answers with calls consist of. */
    List<Integer> likely() {
      List<Integer> likely = new ArrayList<>(shown.keySet());
      LIKELY.forEach(text -> IntStream.of(of(text)).forEach(likely::add));
      return likely;
    }

    /** A logit from 0 to 1 for every token. */
    float[] noise(SplittableRandom random) {
      float[] noise = new float[vocabulary.size()];
      for (int t = 0; t < noise.length; t++) {
        noise[t] = (float) random.nextDouble();
      }
      return noise;
    }

    /** The tokens of a text: markers as control tokens where they are, else cut by chance. */
    int[] cut(String text, SplittableRandom random) {
      List<Integer> ids = new ArrayList<>();
      StringBuilder rest = new StringBuilder();
      for (int at = 0; at < text.length(); ) {
        String from = text.substring(at);
        int marker = -1;
        for (Map.Entry<Integer, String> entry : shown.entrySet()) {
          marker = from.startsWith(entry.getValue()) ? entry.getKey() : marker;
        }
        if (marker < 0) {
          rest.append(text.charAt(at++));
        } else {
          ids.addAll(base.cutPlain(rest.toString(), random));
          rest.setLength(0);
          ids.add(marker);
          at += requireNonNull(shown.get(marker)).length();
        }
      }
      ids.addAll(base.cutPlain(rest.toString(), random));
      return ids.stream().mapToInt(Integer::intValue).toArray();
    }
  }

  /** Cuts a text into tokens by chance. */
  private List<Integer> cutPlain(String text, SplittableRandom random) {
    List<Integer> ids = new ArrayList<>();
    for (int at = 0; at < text.length(); ) {
      int length = random.nextInt(1, Math.min(9, text.length() - at + 1));
      while (length > 1 && !pieces.containsKey(text.substring(at, at + length))) {
        length--;
      }
      String piece = text.substring(at, at + length);
      if (pieces.containsKey(piece)) {
        ids.add(pieces.get(piece));
      } else {
        for (byte b : piece.getBytes(StandardCharsets.UTF_8)) {
          ids.add(pieces.get("byte " + (b & 0xFF)));
        }
      }
      at += length;
    }
    return ids;
  }
}
