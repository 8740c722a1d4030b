package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.CheckpointFiles;
import dev.ocellus.convert.hf.JsonFiles;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@code tokenizer.json} of HuggingFace's tokenizers library. Vocabulary and merges are streamed,
 * as they have hundreds of thousands of entries.
 *
 * <p>Format: <a href="https://huggingface.co/docs/tokenizers/api/models">tokenizers</a>.
 */
final class TokenizerJson {
  private static final int MAX_ENTRIES = 1 << 24;
  private static final ObjectMapper MAPPER = new ObjectMapper(JsonFiles.FACTORY);

  /** A token that stands beside the model's vocabulary, or that overrides one in it. */
  record Added(int id, String content, boolean special) {}

  private final Path file;

  /** Model type: BPE, Unigram, WordPiece or WordLevel. */
  String modelType = "";

  /** Tokens of a BPE model with their ids. */
  final Map<String, Integer> vocabulary = new LinkedHashMap<>();

  /** Tokens of a Unigram model, by id. */
  final List<String> pieces = new ArrayList<>();

  /** Scores of a Unigram model, by id. */
  final List<Float> scores = new ArrayList<>();

  /** Pairs that become one, each "left right", most important first. */
  final List<String> merges = new ArrayList<>();

  final List<Added> added = new ArrayList<>();

  /** Ids of added tokens that take the white space in front of them. */
  final List<Integer> takingSpaceInFront = new ArrayList<>();

  /** Ids of added tokens that take the white space behind them. */
  final List<Integer> takingSpaceBehind = new ArrayList<>();

  /** Everything else of the model, such as {@code byte_fallback}. */
  final Map<String, JsonNode> model = new LinkedHashMap<>();

  /** Everything else of the file, such as {@code pre_tokenizer}. */
  final Map<String, JsonNode> parts = new LinkedHashMap<>();

  private TokenizerJson(Path file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @throws ConversionException if it is not a tokenizer
   */
  static TokenizerJson read(Path file) throws IOException {
    TokenizerJson t = new TokenizerJson(file);
    try (InputStream in = CheckpointFiles.open(file, ".json");
        JsonParser p = MAPPER.createParser(in)) {
      t.root(p);
    } catch (JacksonException e) {
      throw JsonFiles.damaged(file, e);
    }
    if (t.modelType.isEmpty()) {
      t.modelType = t.pieces.isEmpty() ? "BPE" : "Unigram"; // old files do not say
    }
    return t;
  }

  /** A part of the file, such as {@code pre_tokenizer}; missing where there is none. */
  JsonNode part(String name) {
    JsonNode node = parts.get(name);
    return node == null || node.isNull() ? MissingNode.getInstance() : node;
  }

  /** A flag of the model. */
  boolean modelFlag(String name) {
    JsonNode node = model.get(name);
    return node != null && node.asBoolean(false);
  }

  private void root(JsonParser p) throws IOException {
    expect(p.nextToken() == JsonToken.START_OBJECT, "file", "a JSON object");
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String name = p.currentName();
      JsonToken value = p.nextToken();
      if (name.equals("model") && value == JsonToken.START_OBJECT) {
        model(p);
      } else if (name.equals("added_tokens") && value == JsonToken.START_ARRAY) {
        added(p);
      } else {
        parts.put(name, p.readValueAsTree());
      }
    }
  }

  private void model(JsonParser p) throws IOException {
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String name = p.currentName();
      JsonToken value = p.nextToken();
      if (name.equals("vocab") && value == JsonToken.START_OBJECT) {
        vocabulary(p);
      } else if (name.equals("vocab") && value == JsonToken.START_ARRAY) {
        pieces(p);
      } else if (name.equals("merges") && value == JsonToken.START_ARRAY) {
        merges(p);
      } else if (name.equals("type") && value == JsonToken.VALUE_STRING) {
        modelType = p.getText();
      } else {
        model.put(name, p.readValueAsTree());
      }
    }
  }

  private void vocabulary(JsonParser p) throws IOException {
    while (p.nextToken() == JsonToken.FIELD_NAME) {
      String token = p.currentName();
      expect(p.nextToken() == JsonToken.VALUE_NUMBER_INT, "'model.vocab'", "numbers as ids");
      expect(
          vocabulary.size() < MAX_ENTRIES, "'model.vocab'", "at most " + MAX_ENTRIES + " tokens");
      vocabulary.put(token, id(p));
    }
  }

  private int id(JsonParser p) throws IOException {
    long id = p.getLongValue();
    expect(id >= 0 && id < Integer.MAX_VALUE, "'model.vocab'", "ids from 0 to 2147483646");
    return (int) id;
  }

  private void pieces(JsonParser p) throws IOException {
    while (p.nextToken() == JsonToken.START_ARRAY) {
      expect(p.nextToken() == JsonToken.VALUE_STRING, "'model.vocab'", "pairs of text and score");
      pieces.add(p.getText());
      JsonToken score = p.nextToken();
      expect(score != null && score.isNumeric(), "'model.vocab'", "pairs of text and score");
      scores.add(p.getFloatValue());
      expect(p.nextToken() == JsonToken.END_ARRAY, "'model.vocab'", "pairs of text and score");
      expect(pieces.size() < MAX_ENTRIES, "'model.vocab'", "at most " + MAX_ENTRIES + " tokens");
    }
  }

  private void merges(JsonParser p) throws IOException {
    JsonToken t = p.nextToken();
    while (t == JsonToken.VALUE_STRING || t == JsonToken.START_ARRAY) {
      merges.add(t == JsonToken.VALUE_STRING ? p.getText() : pair(p));
      expect(merges.size() < MAX_ENTRIES, "'model.merges'", "at most " + MAX_ENTRIES + " merges");
      t = p.nextToken();
    }
    expect(t == JsonToken.END_ARRAY, "'model.merges'", "texts, or pairs of texts");
  }

  /** The newer form, whose parts may hold spaces: they are written as bytes are. */
  private String pair(JsonParser p) throws IOException {
    expect(p.nextToken() == JsonToken.VALUE_STRING, "'model.merges'", "pairs of texts");
    String left = p.getText().replace(' ', ByteLevelBpe.SPACE);
    expect(p.nextToken() == JsonToken.VALUE_STRING, "'model.merges'", "pairs of texts");
    String right = p.getText().replace(' ', ByteLevelBpe.SPACE);
    expect(p.nextToken() == JsonToken.END_ARRAY, "'model.merges'", "pairs of texts");
    return left + " " + right;
  }

  private void added(JsonParser p) throws IOException {
    while (p.nextToken() == JsonToken.START_OBJECT) {
      JsonNode node = p.readValueAsTree();
      JsonNode id = node.path("id");
      expect(
          id.canConvertToInt() && id.intValue() >= 0 && node.path("content").isTextual(),
          "'added_tokens'",
          "objects with id and content");
      expect(added.size() < MAX_ENTRIES, "'added_tokens'", "at most " + MAX_ENTRIES + " tokens");
      added.add(
          new Added(
              id.intValue(), node.get("content").asText(), node.path("special").asBoolean(false)));
      if (node.path("lstrip").asBoolean(false)) {
        takingSpaceInFront.add(id.intValue());
      }
      if (node.path("rstrip").asBoolean(false)) {
        takingSpaceBehind.add(id.intValue());
      }
    }
  }

  private void expect(boolean ok, String what, String expected) {
    if (!ok) {
      throw ConversionException.at(
          file, what, expected, "something else", "Download the file again.");
    }
  }
}
