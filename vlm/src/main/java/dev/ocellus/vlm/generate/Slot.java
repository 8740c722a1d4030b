package dev.ocellus.vlm.generate;

import dev.ocellus.vlm.chat.ContextUse;
import dev.ocellus.vlm.chat.Usage;
import org.jspecify.annotations.Nullable;

/** A sequence with all that it takes to answer in it. What stands in it is kept between answers. */
public final class Slot {
  private final AnswerGenerator generator;
  private volatile @Nullable Object owner;
  private long lastUse;
  private @Nullable Thread holder;

  Slot(AnswerGenerator generator) {
    this.generator = generator;
  }

  public AnswerGenerator generator() {
    return generator;
  }

  /** Whose conversation stands in it. */
  public @Nullable Object owner() {
    return owner;
  }

  void setOwner(@Nullable Object owner) {
    this.owner = owner;
  }

  /** The thread that answers in it; null where none does. */
  @Nullable Thread holder() {
    return holder;
  }

  void setHolder(@Nullable Thread holder) {
    this.holder = holder;
  }

  /** What stands in it. */
  ContextUse.Sequence use() {
    Usage prompt = generator.lastPrompt();
    return new ContextUse.Sequence(
        holder != null, generator.cache().used(), prompt.promptTokens(), prompt.cachedTokens());
  }

  /** When it was used last, on a clock that only counts uses. */
  long lastUse() {
    return lastUse;
  }

  void setLastUse(long lastUse) {
    this.lastUse = lastUse;
  }
}
