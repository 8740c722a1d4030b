package dev.ocellus.server.openai;

import dev.ocellus.llama.Vocab;
import dev.ocellus.server.chat.Turn;
import java.util.function.IntFunction;

/** The bytes that tokens stand for. */
final class Pieces {
  private Pieces() {}

  static IntFunction<byte[]> of(Turn turn) {
    Vocab vocab = turn.lease().engine().model().pipeline().decoder().vocab();
    return token -> vocab.piece(token, true);
  }
}
