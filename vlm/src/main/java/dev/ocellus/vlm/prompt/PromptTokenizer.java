package dev.ocellus.vlm.prompt;

import dev.ocellus.llama.Vocab;
import dev.ocellus.llama.Vocab.SpecialToken;
import dev.ocellus.vlm.template.Rendered;
import dev.ocellus.vlm.template.text.Origin;
import dev.ocellus.vlm.template.text.Span;
import dev.ocellus.vlm.vision.ImagePlaceholder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
  private final Set<String> markers;
  private final Set<String> ofPeople;
  private final Map<Character, List<SpecialToken>> specialsByFirst = new HashMap<>();

  /**
   * @param markers what stands for images and videos in what a template renders; none for a model
   *     of text
   */
  public PromptTokenizer(Vocab vocab, Set<String> markers) {
    this(vocab, markers, Set.of());
  }

  /**
   * The same for a family with control tokens that people may write.
   *
   * @param ofPeople texts of such tokens
   */
  public PromptTokenizer(Vocab vocab, Set<String> markers, Set<String> ofPeople) {
    this.vocab = vocab;
    this.ofPeople = Set.copyOf(ofPeople);
    this.markers = Set.copyOf(markers);
    for (SpecialToken token : vocab.specialTokens()) { // longest first, and so in each list
      specialsByFirst.computeIfAbsent(token.text().charAt(0), c -> new ArrayList<>()).add(token);
    }
  }

  /**
   * Tokenizes; the beginning-of-sequence token is put in front where the vocabulary wants it.
   *
   * @param places how the images and videos of the conversation are written, in order
   */
  public Prompt tokenize(Rendered rendered, List<ImagePlaceholder> places) {
    var run = new Run(rendered, places);
    run.scan();
    return new Prompt(rendered.text(), run.segments, run.misplaced, rendered.end());
  }

  /** One prompt on its way. */
  private final class Run {
    private final StringBuilder builder = new StringBuilder();
    private final BitSet trusted = new BitSet();

    /** Indices of the characters that have an image in front of them, in order. */
    private final List<Integer> images = new ArrayList<>();

    private final String text;
    private final List<Segment> segments = new ArrayList<>();
    private int[] tokens = new int[256];
    private int nTokens;
    private int nImages;
    private boolean misplaced;

    Run(Rendered rendered, List<ImagePlaceholder> places) {
      BitSet written = new BitSet();
      int at = 0;
      for (Span span : rendered.spans()) {
        int end = at + span.text().length();
        if (span.origin() != Origin.INPUT) {
          written.set(at, end);
        }
        at = end;
      }
      for (String token : ofPeople) {
        for (int i = rendered.text().indexOf(token); i >= 0; ) {
          written.set(i, i + token.length());
          i = rendered.text().indexOf(token, i + token.length());
        }
      }
      place(rendered.text(), written, places);
      text = builder.toString();
    }

    /** Copies the text with what belongs around images instead of their markers. */
    private void place(String rendered, BitSet written, List<ImagePlaceholder> places) {
      int start = 0;
      int i = nextMarker(rendered, 0);
      while (i < rendered.length()) {
        String marker = markerAt(rendered, i);
        int end = i + marker.length();
        if (written.nextClearBit(i) >= end) {
          int n = images.size();
          ImagePlaceholder place = n < places.size() ? places.get(n) : null;
          if (place == null || !place.marker().equals(marker)) {
            misplaced = true;
            place = new ImagePlaceholder(marker, "", "", marker);
          }
          append(rendered, written, start, i);
          appendTrusted(place.before());
          images.add(builder.length());
          appendTrusted(place.after());
          start = end;
        } else {
          end = i + 1; // somebody else's text
        }
        i = nextMarker(rendered, end);
      }
      append(rendered, written, start, rendered.length());
    }

    /** Where the next marker begins, or the text's length. */
    private int nextMarker(String rendered, int from) {
      return markers.stream()
          .mapToInt(marker -> rendered.indexOf(marker, from))
          .filter(i -> i >= 0)
          .min()
          .orElse(rendered.length());
    }

    private String markerAt(String rendered, int i) {
      return markers.stream().filter(m -> rendered.startsWith(m, i)).findFirst().orElseThrow();
    }

    private void append(String rendered, BitSet written, int start, int end) {
      for (int i = written.nextSetBit(start); i >= 0 && i < end; i = written.nextSetBit(i + 1)) {
        trusted.set(builder.length() + i - start);
      }
      builder.append(rendered, start, end);
    }

    private void appendTrusted(String words) {
      trusted.set(builder.length(), builder.length() + words.length());
      builder.append(words);
    }

    void scan() {
      int start = 0;
      int i = 0;
      boolean stripNext = false;
      while (i < text.length() || i == nextImage()) {
        if (i == nextImage()) {
          addText(start, i, stripNext, false);
          addImage();
          start = i;
          stripNext = false;
          continue;
        }
        SpecialToken special = specialAt(i);
        if (special != null) {
          addText(start, i, stripNext, special.stripsLeft());
          addToken(special.id());
          i += special.text().length();
          start = i;
          stripNext = special.stripsRight();
        } else {
          i = trusted.get(i) ? i + 1 : Math.min(nextTrusted(i), nextImage());
        }
      }
      addText(start, text.length(), stripNext, false);
      addBos();
      flush();
    }

    /** Where the next image stands; beyond the text if there is no other. */
    private int nextImage() {
      return nImages < images.size() ? images.get(nImages) : text.length() + 1;
    }

    private int nextTrusted(int from) {
      int next = trusted.nextSetBit(from);
      return next < 0 ? text.length() : next;
    }

    private boolean isTrusted(int from, int length) {
      return trusted.nextClearBit(from) >= from + length && nextImage() >= from + length;
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

    /** In front, unless the template has written it there, or behind images in front. */
    private void addBos() {
      if (!vocab.addsBos()) {
        return;
      }
      flush();
      int bos = vocab.bos();
      for (Segment segment : segments) {
        if (segment instanceof Segment.Tokens(int[] ids)) {
          if (ids[0] == bos) {
            return;
          }
          break;
        }
      }
      if (!segments.isEmpty() && segments.getFirst() instanceof Segment.Tokens(int[] ids)) {
        int[] longer = new int[ids.length + 1];
        longer[0] = bos;
        System.arraycopy(ids, 0, longer, 1, ids.length);
        segments.set(0, new Segment.Tokens(longer));
      } else {
        segments.addFirst(new Segment.Tokens(new int[] {bos}));
      }
    }
  }
}
