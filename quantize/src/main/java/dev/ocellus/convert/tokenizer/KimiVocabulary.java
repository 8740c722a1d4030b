package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The vocabulary of Moonlight and Kimi as published: ranks of tiktoken, then control tokens, of
 * which {@code tokenizer_config.json} names some and code the others.
 *
 * <p>Source: {@code TikTokenTokenizer} of the code that is published with the weights
 * (moonshotai/Kimi-VL-A3B-Instruct, tokenization_moonshot.py); merges and kinds as llama.cpp's
 * converter writes them.
 */
final class KimiVocabulary {
  static final String FILE = "tiktoken.model";

  private static final String CONFIG = "tokenizer_config.json";
  private static final String PRE = "kimi-k2";

  /** Control tokens behind the ranks. */
  private static final int RESERVED = 258;

  private final HfFolder folder;
  private final int nVocab;

  KimiVocabulary(HfFolder folder, int nVocab) {
    this.folder = folder;
    this.nVocab = nVocab;
  }

  /** Writes it, and gives the tokens with a role. */
  SpecialTokens write(GgufWriter out, @Nullable String forcedPre) throws IOException {
    Path file = folder.file(FILE);
    TiktokenVocabulary ranks = TiktokenVocabulary.read(file, nVocab);
    Vocabulary vocabulary = new Vocabulary(nVocab);
    ranks.addTo(vocabulary);
    for (int id = ranks.size(); id < Math.min(nVocab, ranks.size() + RESERVED); id++) {
      vocabulary.set(id, "<|reserved_token_" + id + "|>", 0, TokenKind.CONTROL);
    }
    Map<String, Integer> added = added(ranks.size());
    added.forEach((text, id) -> vocabulary.set(id, text, 0, TokenKind.CONTROL));
    vocabulary.write(out, "gpt2", forcedPre != null ? forcedPre : PRE, false);
    out.strings("tokenizer.ggml.merges", ranks.mergesOfPairs());
    return special(added);
  }

  private Map<String, Integer> added(int nRanks) throws IOException {
    Map<String, Integer> added = new LinkedHashMap<>();
    if (folder.json(CONFIG).get("added_tokens_decoder") instanceof ObjectNode tokens) {
      for (Map.Entry<String, JsonNode> e : tokens.properties()) {
        added.put(e.getValue().path("content").asText(), id(e.getKey(), nRanks));
      }
    }
    return added;
  }

  private int id(String text, int nRanks) {
    int id = text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : -1;
    if (id < nRanks || id >= nVocab) {
      throw ConversionException.at(
          folder.file(CONFIG),
          "'added_tokens_decoder'",
          "ids from %d to %d".formatted(nRanks, nVocab - 1),
          "'" + text + "'",
          "Are the files of one checkpoint?");
    }
    return id;
  }

  private SpecialTokens special(Map<String, Integer> added) throws IOException {
    SpecialTokens special = SpecialTokens.of(folder, null, nVocab);
    ObjectNode config = folder.json(CONFIG);
    for (String role : new String[] {"bos", "eos", "unk", "pad"}) {
      JsonNode token = config.path(role + "_token");
      String text = (token.isObject() ? token.path("content") : token).asText("");
      special.set(role, added.getOrDefault(text, -1));
    }
    return special;
  }
}
