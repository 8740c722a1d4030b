package dev.ocellus.ggml;

import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;

/**
 * Lets native code see between graph nodes whether to stop, without calling Java.
 *
 * <p>ggml's abort callback is a {@code bool (void * data)}. The C library's {@code strlen} is such
 * a function: given a text of no or of one character it answers 0 or 1. It takes a few nanoseconds,
 * needs no stack, and throws nothing, on whichever thread it is called.
 */
public final class AbortSignal {
  private static final MemorySegment STRLEN =
      Linker.nativeLinker().defaultLookup().find("strlen").orElseThrow();
  private static final VarHandle BYTE = ValueLayout.JAVA_BYTE.varHandle();

  private final MemorySegment text;

  /**
   * @param arena must live as long as native code may look
   */
  public AbortSignal(Arena arena) {
    text = arena.allocate(64, 64); // vectors are read within a cache line
  }

  /** The callback for ggml. */
  public MemorySegment function() {
    return STRLEN;
  }

  /** The argument of the callback. */
  public MemorySegment data() {
    return text;
  }

  /** Asks to stop. */
  public void raise() {
    BYTE.setVolatile(text, 0L, (byte) 1);
  }

  /** Takes it back. */
  public void lower() {
    BYTE.setVolatile(text, 0L, (byte) 0);
  }
}
