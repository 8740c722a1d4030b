package dev.ocellus.vlm.fusion;

import java.nio.charset.StandardCharsets;

/** How texts become the ids of a model and the other way round. */
public interface TextFormat {
  /** A text as an encoder takes it: with tokens at its ends, cut where it is too long. */
  TextIds whole(String text);

  /** A text as it is encoded for itself, with no image. */
  default TextIds alone(String text) {
    return whole(text);
  }

  /**
   * What a decoder goes on from: the token that begins, and a text that was begun.
   *
   * @param begun may be empty
   */
  TextIds beginning(String begun);

  /** What of a beginning is part of the text that is written; nothing where it only asks for it. */
  default String shown(int[] beginning) {
    StringBuilder out = new StringBuilder();
    for (int id : beginning) {
      out.append(piece(id, out.isEmpty()));
    }
    return out.toString();
  }

  /** Most tokens of a text. */
  int contextLength();

  /** Ids are from 0 to this number minus 1. */
  int size();

  /** The token that ends what a decoder writes. */
  int end();

  /**
   * What a token adds to a text.
   *
   * @param first whether it is the first of the text
   * @return empty for special tokens, which are no part of texts
   */
  String piece(int id, boolean first);

  /** The same in UTF-8, of which a token may hold a part of a character. */
  default byte[] bytes(int id, boolean first) {
    return piece(id, first).getBytes(StandardCharsets.UTF_8);
  }

  /** A token as the vocabulary writes it. */
  String token(int id);

  /** The ids of a text alone, without tokens at its ends. */
  int[] encode(String text);
}
