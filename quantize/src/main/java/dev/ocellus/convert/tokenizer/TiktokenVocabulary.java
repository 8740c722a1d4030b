package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.CheckpointFiles;
import dev.ocellus.llama.ByteAlphabet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A byte pair encoding as tiktoken stores it: tokens in base 64, each with its rank, which is its
 * id and the order in which pairs are merged. Merges are found as llama.cpp's converter finds them:
 * a token is made of the two parts that are left when only pairs of a lower rank are merged.
 */
final class TiktokenVocabulary {
  private final Path file;

  /** Ranks by the bytes of a token, as Latin-1. */
  private final Map<String, Integer> ranks = new LinkedHashMap<>();

  private TiktokenVocabulary(Path file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @throws ConversionException if it is damaged, or a rank is not below {@code nVocab}
   */
  static TiktokenVocabulary read(Path file, int nVocab) throws IOException {
    TiktokenVocabulary out = new TiktokenVocabulary(file);
    int number = 0;
    for (String line : CheckpointFiles.text(file, ".tiktoken").lines().toList()) {
      number++;
      if (!line.isBlank()) {
        out.add(line.strip().split(" +"), number, nVocab);
      }
    }
    return out;
  }

  private void add(String[] parts, int number, int nVocab) {
    try {
      byte[] token = Base64.getDecoder().decode(parts[0]);
      int rank = Integer.parseInt(parts[parts.length - 1]);
      String text = new String(token, StandardCharsets.ISO_8859_1);
      if (parts.length == 2
          && token.length > 0
          && rank >= 0
          && rank < nVocab
          && ranks.put(text, rank) == null) {
        return;
      }
    } catch (IllegalArgumentException e) { // also of the number
      throw bad(number, "a token in base 64 and its rank", "another text");
    }
    throw bad(number, "a new token and a rank below " + nVocab, String.join(" ", parts));
  }

  /** How many tokens there are; added ones follow them. */
  int size() {
    return ranks.size();
  }

  /** Puts the tokens where their ranks say. */
  void addTo(Vocabulary vocabulary) {
    ranks.forEach((token, rank) -> vocabulary.set(rank, written(token), 0, TokenKind.NORMAL));
  }

  /**
   * Pairs in the order in which they are merged.
   *
   * @throws ConversionException if a token is made of no two others
   */
  List<String> merges() {
    return merges(true);
  }

  /** The same without the tokens that are made of no two others. */
  List<String> mergesOfPairs() {
    return merges(false);
  }

  private List<String> merges(boolean all) {
    List<Map.Entry<String, Integer>> byRank = new ArrayList<>(ranks.entrySet());
    byRank.sort(Map.Entry.comparingByValue());
    List<String> out = new ArrayList<>();
    for (Map.Entry<String, Integer> e : byRank) {
      String token = e.getKey();
      List<String> parts = token.length() > 1 ? parts(token, e.getValue()) : List.of();
      if (parts.size() == 2) {
        out.add(written(parts.get(0)) + " " + written(parts.get(1)));
      } else if (all && token.length() > 1) {
        throw bad(
            e.getValue() + 1,
            "a token that two of lower ranks make",
            "one of %d parts".formatted(parts.size()));
      }
    }
    return out;
  }

  /** What is left of a token when pairs of a rank below its own are merged, the lowest first. */
  private List<String> parts(String token, int limit) {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < token.length(); i++) {
      parts.add(token.substring(i, i + 1));
    }
    while (true) {
      int best = -1;
      int lowest = limit;
      for (int i = 0; i + 1 < parts.size(); i++) {
        int rank = ranks.getOrDefault(parts.get(i) + parts.get(i + 1), Integer.MAX_VALUE);
        if (rank < lowest) {
          lowest = rank;
          best = i;
        }
      }
      if (best < 0) {
        return parts;
      }
      parts.set(best, parts.get(best) + parts.remove(best + 1));
    }
  }

  private static String written(String latin1) {
    return ByteAlphabet.of(latin1.getBytes(StandardCharsets.ISO_8859_1));
  }

  private ConversionException bad(int line, String expected, String found) {
    String shown = found.length() > 80 ? found.substring(0, 80) + "\u2026" : found;
    return ConversionException.at(
        file, "line " + line, expected, shown, "Download the file again.");
  }
}
