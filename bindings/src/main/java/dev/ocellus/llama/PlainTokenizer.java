package dev.ocellus.llama;

import dev.ocellus.gguf.GgufFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * Tokenizes again where libllama has made a marker of somebody's text, this time as if there were
 * no markers in the vocabulary.
 *
 * <p>libllama looks up what it has merged among all tokens, control tokens included. The library
 * SentencePiece has only ordinary pieces to merge, and so have the pairs here.
 */
final class PlainTokenizer {
  private static final String SPACE = "\u2581";

  /** What is asked about a vocabulary. */
  interface Tokens {
    int size();

    String text(int id);

    float score(int id);

    boolean isUserDefined(int id);

    boolean isUnknown(int id);

    /** The byte that a token stands for, or -1. */
    int byteOf(int id);
  }

  private final Path file;
  private final Tokens tokens;
  private final TokenizerGuard.Limits limits;
  private final BitSet markers;
  private @Nullable Map<String, Integer> ids;
  private @Nullable Map<String, Integer> ranks;

  /**
   * @param file where the merges are, which are read when they are first needed
   * @param markers what must not come out
   */
  PlainTokenizer(Path file, Tokens tokens, TokenizerGuard.Limits limits, BitSet markers) {
    this.file = file;
    this.tokens = tokens;
    this.limits = limits;
    this.markers = markers;
  }

  /**
   * Replaces the markers among the tokens of a text.
   *
   * @throws LlamaException if the text cannot be said without a marker
   */
  synchronized int[] withoutMarkers(int[] found) {
    TokenList out = new TokenList();
    if (limits.kind() == TokenizerGuard.Kind.UNIGRAM) {
      return withUnknown(found);
    }
    if (limits.kind() == TokenizerGuard.Kind.SENTENCE_PIECE) {
      sentencePiece(found, out);
    } else {
      for (int id : found) {
        if (markers.get(id)) {
          merge(symbols(id), out);
        } else {
          out.add(id);
        }
      }
    }
    return out.toArray();
  }

  /** A unigram model has control tokens for no text, and the unknown one for what no piece says. */
  private int[] withUnknown(int[] found) {
    for (int id : found) {
      if (markers.get(id) && !tokens.isUnknown(id)) {
        throw unspeakable(tokens.text(id));
      }
    }
    return found;
  }

  /** Each stretch between the user's own tokens, which libllama finds first, is merged anew. */
  private void sentencePiece(int[] found, TokenList out) {
    ByteArrayOutputStream stretch = new ByteArrayOutputStream();
    boolean any = false;
    boolean afterMarker = false;
    for (int i = 0; i < found.length; i++) {
      int id = found[i];
      boolean marker = markers.get(id);
      if (tokens.isUserDefined(id) && !marker) {
        flush(stretch, any, out);
        any = false;
        out.add(id);
        afterMarker = false;
        continue;
      }
      any = true;
      String text = tokens.text(id);
      if (marker && tokens.isUserDefined(id)) {
        if (stretch.size() == 0 && limits.spacePrefix()) {
          stretch.writeBytes(SPACE.getBytes(StandardCharsets.UTF_8));
        }
        afterMarker = limits.spacePrefix(); // libllama put a space behind it
      } else {
        text = afterMarker && text.startsWith(SPACE) ? text.substring(1) : text;
        afterMarker = false;
      }
      if (tokens.byteOf(id) >= 0) {
        stretch.write(tokens.byteOf(id));
      } else {
        stretch.writeBytes(text.replace(" ", SPACE).getBytes(StandardCharsets.UTF_8));
      }
    }
    flush(stretch, any, out);
  }

  private void flush(ByteArrayOutputStream stretch, boolean any, TokenList out) {
    if (any) {
      merge(stretch.toString(StandardCharsets.UTF_8), out);
      stretch.reset();
    }
  }

  /** A token of byte pairs, in the alphabet that they are merged in. */
  private String symbols(int id) {
    String text = tokens.text(id);
    return limits.kind() == TokenizerGuard.Kind.BYTE_PAIRS && tokens.isUserDefined(id)
        ? ByteAlphabet.of(text.getBytes(StandardCharsets.UTF_8))
        : text.replace(" ", limits.kind() == TokenizerGuard.Kind.BYTE_PAIRS ? " " : SPACE);
  }

  private void merge(String text, TokenList out) {
    for (String piece : new PairMerger(this::rank).merge(text)) {
      Integer id = ids().get(piece);
      if (id != null) {
        out.add(id);
      } else {
        for (byte b : piece.getBytes(StandardCharsets.UTF_8)) {
          out.add(byteToken(b & 0xFF, piece));
        }
      }
    }
  }

  /** How soon two pieces are merged, the least first; empty for those that are not. */
  private OptionalDouble rank(String left, String right) {
    Integer merged = ids().get(left + right);
    if (merged == null) {
      return OptionalDouble.empty();
    }
    if (limits.kind() == TokenizerGuard.Kind.SENTENCE_PIECE) {
      return OptionalDouble.of(-tokens.score(merged));
    }
    Integer rank = ranks().get(left + " " + right);
    return rank == null ? OptionalDouble.empty() : OptionalDouble.of(rank);
  }

  private int byteToken(int b, String piece) {
    Integer id = null;
    if (limits.kind() != TokenizerGuard.Kind.BYTE_PAIRS) {
      id = ids().get("<0x%02X>".formatted(b));
    }
    if (id == null) {
      throw unspeakable(piece);
    }
    return id;
  }

  private LlamaException unspeakable(String piece) {
    return new LlamaException(
        "%s: \"%s\" in a text can only be encoded with a control token of this vocabulary, which a text must not become. Leave it out, or convert the model again with ordinary tokens for it."
            .formatted(file, piece));
  }

  private Map<String, Integer> ids() {
    if (ids == null) {
      Map<String, Integer> found = HashMap.newHashMap(tokens.size());
      for (int id = 0; id < tokens.size(); id++) {
        if (!markers.get(id)) {
          found.putIfAbsent(tokens.text(id), id);
        }
      }
      ids = found;
    }
    return ids;
  }

  private Map<String, Integer> ranks() {
    if (ranks == null) {
      try (GgufFile gguf = GgufFile.open(file)) {
        List<String> merges = gguf.metadata().strings("tokenizer.ggml.merges", List.of());
        Map<String, Integer> found = HashMap.newHashMap(merges.size());
        for (int i = 0; i < merges.size(); i++) {
          found.putIfAbsent(merges.get(i), i);
        }
        ranks = found;
      } catch (IOException e) {
        throw new LlamaException(
            "%s: the merges of its vocabulary cannot be read any more (%s). A model's file must stay where it is while the model is open."
                .formatted(file, e.getMessage()));
      }
    }
    return ranks;
  }
}
