package dev.ocellus.llama;

import dev.ocellus.Setting;

/** More tokens or embeddings than a context has room for. */
public class ContextOverflowException extends LlamaException {
  private static final long serialVersionUID = 1;

  /** What is too small, and so what to enlarge. */
  public enum Kind {
    /** The whole context: {@link ContextOptions#nCtx}. */
    CONTEXT,
    /** What is decoded by one call: {@link ContextOptions#nBatch}. */
    BATCH,
    /** What is computed at once: {@link ContextOptions#nUbatch}. */
    MICRO_BATCH
  }

  private final Kind kind;
  private final long required;
  private final long available;

  /**
   * @param required entries that there must be room for
   * @param available entries that there is room for
   */
  public ContextOverflowException(Kind kind, long required, long available, String message) {
    super(message);
    this.kind = kind;
    this.required = required;
    this.available = available;
    Setting[] related =
        switch (kind) {
          case CONTEXT -> new Setting[] {Setting.CONTEXT_SIZE};
          case BATCH -> new Setting[] {Setting.BATCH};
          case MICRO_BATCH -> new Setting[] {Setting.MICRO_BATCH, Setting.BATCH};
        };
    about(related);
  }

  /** What is too small. */
  public Kind kind() {
    return kind;
  }

  /** Tokens or embeddings that there must be room for, as far as is known. */
  public long required() {
    return required;
  }

  /** Tokens or embeddings that there is room for. */
  public long available() {
    return available;
  }
}
