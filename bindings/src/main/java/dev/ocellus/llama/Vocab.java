package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ggml.NativeStack;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;

/** The tokens of a text model. Thread-safe; usable while the model is open. */
public final class Vocab {
  /** A control token: what a template may write and a user may not. */
  public record SpecialToken(int id, String text, boolean stripsLeft, boolean stripsRight) {}

  private static final int ATTR_UNKNOWN = 1;
  private static final int ATTR_CONTROL = 1 << 3;
  private static final int ATTR_USER_DEFINED = 1 << 4;
  private static final int ATTR_BYTE = 1 << 5;
  private static final int ATTR_LSTRIP = 1 << 7;
  private static final int ATTR_RSTRIP = 1 << 8;

  /** How the markers of chats are written, in ASCII and by DeepSeek. */
  private static final Pattern MARKER = Pattern.compile("<[|｜].*[|｜]>");

  private static final Pattern BYTE = Pattern.compile("<0x[0-9A-F]{2}>");

  /** libllama needs some hundred bytes of memory for each, and cannot say that it has none. */
  private static final int MAX_CHARACTERS = 1 << 24;

  private final MemorySegment handle;
  private final TokenizerGuard.Limits limits;
  private final int nTokens;
  private final BitSet markers;
  private final List<SpecialToken> specialTokens;
  private final PlainTokenizer plain;

  Vocab(Path file, MemorySegment handle, TokenizerGuard.Limits limits) {
    this.handle = handle;
    this.limits = limits;
    this.nTokens = ggml_h.llama_vocab_n_tokens(handle);
    this.markers = findMarkers();
    this.specialTokens = findSpecialTokens();
    this.plain = new PlainTokenizer(file, new Texts(), limits, markers);
  }

  /** What a text must never become, whoever converted the model and however it was merged. */
  private BitSet findMarkers() {
    BitSet found = new BitSet(nTokens);
    for (int id = 0; id < nTokens; id++) {
      int attributes = ggml_h.llama_vocab_get_attr(handle, id);
      boolean ends = ggml_h.llama_vocab_is_eog(handle, id) || id == bos();
      boolean userDefined = (attributes & ATTR_USER_DEFINED) != 0;
      found.set(
          id,
          (attributes & (ATTR_CONTROL | ATTR_UNKNOWN)) != 0
              || (ends && text(id).length() > 1 && (attributes & ATTR_BYTE) == 0)
              || (userDefined && MARKER.matcher(text(id)).matches()));
    }
    return found;
  }

  private List<SpecialToken> findSpecialTokens() {
    List<SpecialToken> found = new ArrayList<>();
    for (int id = markers.nextSetBit(0); id >= 0; id = markers.nextSetBit(id + 1)) {
      int attributes = ggml_h.llama_vocab_get_attr(handle, id);
      String text = text(id);
      if (!text.isEmpty()) {
        found.add(
            new SpecialToken(
                id, text, (attributes & ATTR_LSTRIP) != 0, (attributes & ATTR_RSTRIP) != 0));
      }
    }
    // the longest match wins where one token's text starts another's
    found.sort(Comparator.comparingInt((SpecialToken t) -> t.text().length()).reversed());
    return List.copyOf(found);
  }

  /** Number of tokens, which is the number of logits. */
  public int nTokens() {
    return nTokens;
  }

  /**
   * Markers, longest text first: control tokens, the unknown token, what begins or ends a sequence
   * (unless it is a single character), and what a converter called user-defined although it is
   * written as {@code <|…|>}.
   */
  public List<SpecialToken> specialTokens() {
    return specialTokens;
  }

  /** Whether prompts start with {@link #bos()} unless the template writes it. */
  public boolean addsBos() {
    return ggml_h.llama_vocab_get_add_bos(handle) && bos() >= 0;
  }

  /** Beginning of a sequence, or -1. */
  public int bos() {
    return ggml_h.llama_vocab_bos(handle);
  }

  /** End of a sequence, or -1. */
  public int eos() {
    return ggml_h.llama_vocab_eos(handle);
  }

  /** Whether a token ends an answer: end of sequence, of turn, of message. */
  public boolean isEndOfGeneration(int token) {
    return ggml_h.llama_vocab_is_eog(handle, checked(token));
  }

  /** Whether a token stands for an action rather than for text. */
  public boolean isControl(int token) {
    return ggml_h.llama_vocab_is_control(handle, checked(token));
  }

  /** The token as the vocabulary writes it, which for byte-level vocabularies is not its text. */
  public String text(int token) {
    MemorySegment text = ggml_h.llama_vocab_get_text(handle, checked(token));
    return text.address() == 0 ? "" : new String(bytes(text), StandardCharsets.UTF_8);
  }

  private static byte[] bytes(MemorySegment cString) {
    long length = 0;
    while (cString.get(ValueLayout.JAVA_BYTE, length) != 0) {
      length++;
    }
    return cString.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
  }

  /**
   * The bytes that a token stands for. They may be a part of a character only.
   *
   * @param special whether control tokens give their text; otherwise they give nothing
   */
  public byte[] piece(int token, boolean special) {
    checked(token);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment buffer = scratch.allocate(64);
      int n = ggml_h.llama_token_to_piece(handle, token, buffer, 64, 0, special);
      if (n < 0) {
        buffer = scratch.allocate(-n);
        n = ggml_h.llama_token_to_piece(handle, token, buffer, -n, 0, special);
      }
      return buffer.asSlice(0, Math.max(0, n)).toArray(ValueLayout.JAVA_BYTE);
    }
  }

  /**
   * Tokens of a text. Nothing is put in front or behind.
   *
   * <p>Without {@code parseSpecial} none of the {@link #specialTokens()} ever comes out, however
   * the vocabulary merges.
   *
   * @param parseSpecial whether the texts of control tokens become those tokens. Never for text
   *     that came from a user.
   * @throws LlamaException if the text is longer than the tokenizer of this model takes at once,
   *     which is one million characters for some and 16 million for the others, or if it cannot be
   *     said without a control token
   */
  public int[] tokenize(String text, boolean parseSpecial) {
    if (text.isEmpty()) {
      return new int[0];
    }
    if (text.length() > MAX_CHARACTERS) {
      throw new LlamaException(
          "A text of %d characters is too long to tokenize at once (%d). Give it in parts."
              .formatted(text.length(), MAX_CHARACTERS));
    }
    int[] tokens =
        limits.recursive()
            ? DeepStack.call(text.length(), () -> tokenizeHere(text, parseSpecial))
            : NativeStack.call(() -> tokenizeHere(text, parseSpecial));
    return parseSpecial || !anyMarker(tokens) ? tokens : plain.withoutMarkers(tokens);
  }

  private boolean anyMarker(int[] tokens) {
    for (int token : tokens) {
      if (markers.get(token)) {
        return true;
      }
    }
    return false;
  }

  /** What {@link PlainTokenizer} asks. */
  private final class Texts implements PlainTokenizer.Tokens {
    @Override
    public int size() {
      return nTokens;
    }

    @Override
    public String text(int id) {
      return Vocab.this.text(id);
    }

    @Override
    public float score(int id) {
      return ggml_h.llama_vocab_get_score(handle, id);
    }

    @Override
    public boolean isUnknown(int id) {
      return (ggml_h.llama_vocab_get_attr(handle, id) & ATTR_UNKNOWN) != 0;
    }

    @Override
    public boolean isUserDefined(int id) {
      return (ggml_h.llama_vocab_get_attr(handle, id) & ATTR_USER_DEFINED) != 0;
    }

    @Override
    public int byteOf(int id) {
      boolean one = (ggml_h.llama_vocab_get_attr(handle, id) & ATTR_BYTE) != 0;
      return one && BYTE.matcher(text(id)).matches() ? HexFormat.fromHexDigits(text(id), 3, 5) : -1;
    }
  }

  private int[] tokenizeHere(String text, boolean parseSpecial) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment bytes = scratch.allocate(utf8.length + 1L);
      MemorySegment.copy(utf8, 0, bytes, ValueLayout.JAVA_BYTE, 0, utf8.length);
      int room = utf8.length + 16;
      MemorySegment tokens = scratch.allocate(ValueLayout.JAVA_INT, room);
      int n = ggml_h.llama_tokenize(handle, bytes, utf8.length, tokens, room, false, parseSpecial);
      if (n == Integer.MIN_VALUE) {
        throw new LlamaException("A text of %d bytes has too many tokens".formatted(utf8.length));
      }
      if (n < 0) {
        tokens = scratch.allocate(ValueLayout.JAVA_INT, -n);
        n = ggml_h.llama_tokenize(handle, bytes, utf8.length, tokens, -n, false, parseSpecial);
      }
      return tokens.asSlice(0, 4L * n).toArray(ValueLayout.JAVA_INT);
    }
  }

  private int checked(int token) {
    if (token < 0 || token >= nTokens) {
      throw new IllegalArgumentException(
          "token: expected 0 to %d, found %d".formatted(nTokens - 1, token));
    }
    return token;
  }
}
