package dev.ocellus.server.chat;

import dev.ocellus.llama.Vocab;
import java.util.function.IntFunction;

/** The bytes that tokens stand for. */
public final class Pieces {
  private Pieces() {}

  /** Those of the model that answers. */
  public static IntFunction<byte[]> of(Turn turn) {
    Vocab vocab = turn.lease().engine().model().pipeline().decoder().vocab();
    return token -> vocab.piece(token, true);
  }
}
