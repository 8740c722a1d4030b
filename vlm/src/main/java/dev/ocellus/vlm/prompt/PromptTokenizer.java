package dev.ocellus.vlm.prompt;

import dev.ocellus.llama.Vocab;
import dev.ocellus.llama.Vocab.SpecialToken;
import dev.ocellus.vlm.template.Origin;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tokenizes a rendered prompt so that only the template can write control tokens and image places.
 *
 * <p>Text between two control tokens is tokenized in one piece, whoever wrote it, because a word
 * may start in the template and end in a message. It is tokenized with special tokens off; the
 * control tokens are found here, in the template's own characters only.
 */
public final class PromptTokenizer {
  private final Vocab vocab;
  private final @Nullable String imageMarker;
  private final Map<Character, List<SpecialToken>> specialsByFirst = new HashMap<>();

  /**
   * @param imageMarker text that stands for a picture; null for a model without pictures
   */
  public PromptTokenizer(Vocab vocab, @Nullable String imageMarker) {
    this.vocab = vocab;
    this.imageMarker = imageMarker;
    for (SpecialToken token : vocab.specialTokens()) { // longest first, and so in each list
      specialsByFirst.computeIfAbsent(token.text().charAt(0), c -> new ArrayList<>()).add(token);
    }
  }

  /** Tokenizes; the beginning-of-sequence token is put in front where the vocabulary wants it. */
  public Prompt tokenize(Rendered rendered) {
    var run = new Run(rendered);
    run.scan();
    return new Prompt(rendered.text(), run.segments);
  }

  /** One prompt on its way. */
  private final class Run {
    private final String text;
    private final BitSet trusted = new BitSet();
    private final List<Segment> segments = new ArrayList<>();
    private int[] tokens = new int[256];
    private int nTokens;
    private int nImages;

    Run(Rendered rendered) {
      text = rendered.text();
      int at = 0;
      for (Span span : rendered.spans()) {
        int end = at + span.text().length();
        if (span.origin() != Origin.INPUT) {
          trusted.set(at, end);
        }
        at = end;
      }
    }

    void scan() {
      int start = 0;
      int i = 0;
      boolean stripNext = false;
      while (i < text.length()) {
        if (!trusted.get(i)) {
          i = nextTrusted(i);
          continue;
        }
        int length = imageMarkerAt(i);
        SpecialToken special = length > 0 ? null : specialAt(i);
        if (length == 0 && special == null) {
          i++;
          continue;
        }
        addText(start, i, stripNext, special != null && special.stripsLeft());
        if (special != null) {
          addToken(special.id());
          i += special.text().length();
          stripNext = special.stripsRight();
        } else {
          addImage();
          i += length;
          stripNext = false;
        }
        start = i;
      }
      addText(start, text.length(), stripNext, false);
      addBos();
      flush();
    }

    private int nextTrusted(int from) {
      int next = trusted.nextSetBit(from);
      return next < 0 ? text.length() : next;
    }

    private boolean isTrusted(int from, int length) {
      return trusted.nextClearBit(from) >= from + length;
    }

    private int imageMarkerAt(int i) {
      if (imageMarker == null) {
        return 0;
      }
      int length = imageMarker.length();
      return text.startsWith(imageMarker, i) && isTrusted(i, length) ? length : 0;
    }

    private @Nullable SpecialToken specialAt(int i) {
      for (SpecialToken token : specialsByFirst.getOrDefault(text.charAt(i), List.of())) {
        if (text.startsWith(token.text(), i) && isTrusted(i, token.text().length())) {
          return token;
        }
      }
      return null;
    }

    private void addText(int start, int end, boolean stripLeft, boolean stripRight) {
      String piece = text.substring(start, end);
      piece = stripLeft ? piece.stripLeading() : piece;
      piece = stripRight ? piece.stripTrailing() : piece;
      for (int id : vocab.tokenize(piece, false)) {
        addToken(id);
      }
    }

    private void addToken(int id) {
      if (nTokens == tokens.length) {
        tokens = Arrays.copyOf(tokens, 2 * nTokens);
      }
      tokens[nTokens++] = id;
    }

    private void addImage() {
      flush();
      segments.add(new Segment.Image(nImages++));
    }

    private void flush() {
      if (nTokens > 0) {
        segments.add(new Segment.Tokens(Arrays.copyOf(tokens, nTokens)));
        nTokens = 0;
      }
    }

    /** In front, unless the template has written it there. */
    private void addBos() {
      if (!vocab.addsBos()) {
        return;
      }
      flush();
      int bos = vocab.bos();
      if (!segments.isEmpty() && segments.getFirst() instanceof Segment.Tokens(int[] ids)) {
        if (ids[0] != bos) {
          int[] longer = new int[ids.length + 1];
          longer[0] = bos;
          System.arraycopy(ids, 0, longer, 1, ids.length);
          segments.set(0, new Segment.Tokens(longer));
        }
      } else {
        segments.addFirst(new Segment.Tokens(new int[] {bos}));
      }
    }
  }
}
