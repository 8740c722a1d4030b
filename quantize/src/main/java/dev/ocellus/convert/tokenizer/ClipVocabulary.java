package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.CheckpointFiles;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * CLIP's byte pair encoding, whose tokens carry {@code </w>} at the end of a word: from {@code
 * tokenizer.json}, or from {@code vocab.json} and {@code merges.txt} where there is none.
 */
final class ClipVocabulary {
  private static final String VOCABULARY = "vocab.json";
  private static final String MERGES = "merges.txt";

  private final HfFolder folder;
  private final int nVocab;

  ClipVocabulary(HfFolder folder, int nVocab) {
    this.folder = folder;
    this.nVocab = nVocab;
  }

  void write(GgufWriter out, @Nullable TokenizerJson json) throws IOException {
    Map<String, Integer> ids = json == null ? ids() : json.vocabulary;
    List<String> merges = json == null ? merges() : json.merges;
    Path source = folder.file(json == null ? VOCABULARY : "tokenizer.json");
    Vocabulary tokens = new Vocabulary(nVocab);
    for (Map.Entry<String, Integer> e : ids.entrySet()) {
      tokens.set(source, e.getValue(), e.getKey(), 0, TokenKind.NORMAL);
    }
    if (json != null) {
      for (TokenizerJson.Added t : json.added) {
        tokens.set(source, t.id(), t.content(), 0, TokenKind.CONTROL);
      }
    }
    requireEndsOfWords(source, ids, merges);
    tokens.write(out, "clip", "clip", false);
    out.strings("tokenizer.ggml.merges", merges);
  }

  private static void requireEndsOfWords(
      Path source, Map<String, Integer> ids, List<String> merges) {
    if (merges.isEmpty() || ids.keySet().stream().noneMatch(t -> t.endsWith("</w>"))) {
      throw ConversionException.at(
          source,
          "tokenizer",
          "CLIP's byte pair encoding, with merges and tokens that end with </w>",
          "another one",
          "Models of CLIP's class with another tokenizer are not converted.");
    }
  }

  private Map<String, Integer> ids() throws IOException {
    Map<String, Integer> ids = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> e : folder.json(VOCABULARY).properties()) {
      JsonNode id = e.getValue();
      if (!id.canConvertToInt() || !id.isIntegralNumber() || id.intValue() < 0) {
        throw ConversionException.at(
            folder.file(VOCABULARY),
            "token '%s'".formatted(e.getKey()),
            "an id from 0",
            id.toString(),
            "Download the file again.");
      }
      ids.put(e.getKey(), id.intValue());
    }
    if (ids.isEmpty()) {
      throw new ConversionException(
          "%s: neither tokenizer.json nor %s. Download the tokenizer into the same folder."
              .formatted(folder.directory(), VOCABULARY));
    }
    return ids;
  }

  /** Pairs line by line, behind one of a comment. */
  private List<String> merges() throws IOException {
    String all = CheckpointFiles.text(folder.file(MERGES), ".txt");
    List<String> merges = new ArrayList<>();
    all.lines()
        .filter(line -> !line.isBlank() && !line.startsWith("#version"))
        .forEach(merges::add);
    return merges;
  }
}
