package dev.ocellus.vlm.generate;

import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToIntFunction;

/** Chooses the turns that are forgotten when a context is full. */
public final class Eviction {
  private Eviction() {}

  /**
   * The messages that stay.
   *
   * @param nCtx places of the context
   * @param room places that the answer should have
   * @param tokens counts the tokens of a conversation
   */
  public static List<Message> fit(
      List<Message> messages, int nCtx, int room, ToIntFunction<List<Message>> tokens) {
    if (tokens.applyAsInt(messages) + room <= nCtx) {
      return messages;
    }
    // half of the context, so that the next turns do not have to forget and compute anew again
    int goal = Math.min(nCtx / 2, nCtx - room);
    List<Message> kept = messages;
    List<Message> fewer = withoutOldestTurn(kept);
    while (fewer.size() < kept.size()) {
      kept = fewer;
      if (tokens.applyAsInt(kept) <= goal) {
        break;
      }
      fewer = withoutOldestTurn(kept);
    }
    return kept;
  }

  /** Everything but the first question and what follows it up to the next; all if there is none. */
  private static List<Message> withoutOldestTurn(List<Message> messages) {
    int last = lastQuestion(messages);
    int end = 0; // where the second turn begins
    boolean inTurn = false;
    while (end < last) {
      boolean question = messages.get(end).role() == Role.USER;
      if (question && inTurn) {
        break;
      }
      inTurn |= !messages.get(end).role().instructs();
      end++;
    }
    if (last < 0 || !inTurn) {
      return messages;
    }
    List<Message> kept = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      if (i >= end || messages.get(i).role().instructs()) {
        kept.add(messages.get(i));
      }
    }
    return kept;
  }

  private static int lastQuestion(List<Message> messages) {
    int i = messages.size() - 1;
    while (i >= 0 && messages.get(i).role() != Role.USER) {
      i--;
    }
    return i;
  }
}
