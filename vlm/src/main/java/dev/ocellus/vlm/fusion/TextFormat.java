package dev.ocellus.vlm.fusion;

/** How texts become the ids of a model and the other way round. */
public interface TextFormat {
  /** A text as an encoder takes it: with tokens at its ends, cut where it is too long. */
  TextIds whole(String text);

  /**
   * What a decoder goes on from: the token that begins, and a text that was begun.
   *
   * @param begun may be empty
   */
  TextIds beginning(String begun);

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

  /** A token as the vocabulary writes it. */
  String token(int id);

  /** The ids of a text alone, without tokens at its ends. */
  int[] encode(String text);
}
