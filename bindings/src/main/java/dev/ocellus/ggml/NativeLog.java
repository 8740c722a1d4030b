package dev.ocellus.ggml;

import static dev.ocellus.ffi.ggml_h.GGML_LOG_LEVEL_CONT;
import static dev.ocellus.ffi.ggml_h.GGML_LOG_LEVEL_DEBUG;
import static dev.ocellus.ffi.ggml_h.GGML_LOG_LEVEL_ERROR;
import static dev.ocellus.ffi.ggml_h.GGML_LOG_LEVEL_INFO;
import static dev.ocellus.ffi.ggml_h.GGML_LOG_LEVEL_WARN;

import dev.ocellus.ffi.ggml_h;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Carries the log lines of ggml and llama.cpp to the {@link Logger} {@code dev.ocellus.ggml}.
 *
 * <p>llama.cpp reports a page of details for every model that it loads, so its informational lines
 * become {@link Level#DEBUG}; warnings and errors keep their level. A line may arrive in several
 * pieces; only whole lines are passed on.
 */
public final class NativeLog {
  private static final Logger LOGGER = System.getLogger("dev.ocellus.ggml");
  private static final int MAX_PROBLEMS = 8;
  private static final ThreadLocal<Line> LINE = ThreadLocal.withInitial(Line::new);
  private static final ThreadLocal<@Nullable List<String>> PROBLEMS = new ThreadLocal<>();

  private static final class Line {
    private final StringBuilder text = new StringBuilder();
    private Level level = Level.DEBUG;
  }

  private NativeLog() {}

  /** Routes native log lines here. Called once, before the first backend is loaded. */
  static void install() {
    MemorySegment callback =
        Upcalls.stub((level, text, userData) -> receive((int) level, text), Arena.global());
    ggml_h.llama_log_set(callback, MemorySegment.NULL); // sets ggml's callback too
  }

  /** What a native call returned, and the errors that it logged on this thread. */
  public record Observed<T extends @Nullable Object>(T result, List<String> problems) {
    /** The logged errors as the tail of a message, empty when there are none. */
    public String because() {
      return problems.isEmpty() ? "" : ": " + String.join("; ", problems);
    }
  }

  /**
   * Runs a native call where there is stack enough ({@link NativeStack}), and collects the errors
   * that it logs meanwhile on its thread.
   */
  public static <T extends @Nullable Object> Observed<T> observe(Supplier<T> call) {
    return NativeStack.call(() -> observeHere(call));
  }

  /** As {@link #observe}, on a thread of its own with a large stack. */
  public static <T extends @Nullable Object> Observed<T> observeOnOwnThread(Supplier<T> call) {
    return NativeStack.callOnOwnThread(() -> observeHere(call));
  }

  /** As {@link #observe}, for what libllama computes with the help of an {@link Accel}. */
  public static <T extends @Nullable Object> Observed<T> observeWithRoom(Supplier<T> call) {
    return NativeStack.callWithRoom(() -> observeHere(call));
  }

  /** As {@link #observe}, for computing one graph of this project with the help of one. */
  static <T extends @Nullable Object> Observed<T> observeGraph(Supplier<T> call) {
    return NativeStack.callForGraph(() -> observeHere(call));
  }

  private static <T extends @Nullable Object> Observed<T> observeHere(Supplier<T> call) {
    List<String> problems = new ArrayList<>();
    PROBLEMS.set(problems);
    try {
      return new Observed<>(call.get(), List.copyOf(problems));
    } finally {
      PROBLEMS.remove();
    }
  }

  /** The callback. An exception that left an upcall would end the JVM, so none does. */
  private static long receive(int level, long text) {
    try {
      if (text == 0) {
        return 0;
      }
      Line line = LINE.get();
      if (level != GGML_LOG_LEVEL_CONT()) {
        line.level = levelOf(level);
      }
      String piece = MemorySegment.ofAddress(text).reinterpret(Long.MAX_VALUE).getString(0);
      line.text.append(piece);
      if (piece.endsWith("\n")) {
        flush(line);
      }
    } catch (Throwable e) { // also an Error: nothing may cross into native code
      LINE.remove();
    }
    return 0;
  }

  private static void flush(Line line) {
    String message = line.text.toString().strip();
    line.text.setLength(0);
    if (message.isEmpty() || message.chars().allMatch(c -> c == '.')) {
      return; // progress dots
    }
    List<String> problems = PROBLEMS.get();
    Level level = line.level;
    if (problems != null && level.getSeverity() >= Level.ERROR.getSeverity()) {
      if (problems.size() < MAX_PROBLEMS) {
        problems.add(message);
      }
      level = Level.DEBUG; // an exception will tell
    }
    if (LOGGER.isLoggable(level)) {
      LOGGER.log(level, message);
    }
  }

  private static Level levelOf(int level) {
    if (level == GGML_LOG_LEVEL_ERROR()) {
      return Level.ERROR;
    } else if (level == GGML_LOG_LEVEL_WARN()) {
      return Level.WARNING;
    } else if (level == GGML_LOG_LEVEL_INFO()) {
      return Level.DEBUG;
    } else if (level == GGML_LOG_LEVEL_DEBUG()) {
      return Level.TRACE;
    }
    return Level.DEBUG;
  }
}
