package dev.ocellus.ggml;

import dev.ocellus.compute.GgmlException;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs native code where there is stack enough for it and for the Java code that it calls back.
 *
 * <p>The JVM keeps room below every Java frame (some 80 KiB) for native code, and wants as much
 * again where that calls Java. If it is not there, the {@link StackOverflowError} has no Java frame
 * left to reach, and the process ends. So whatever may call back, if only to log a line, goes
 * through here (docs/decisions/0009).
 */
public final class NativeStack {
  /**
   * What native code may take until it calls back. Loading, decoding and encoding were seen to take
   * less than 45 KiB.
   */
  static final int ROOM = 64 << 10;

  /** Of a thread that is started because its caller has no room. Untouched pages take no memory. */
  private static final long OWN_STACK = 8L << 20;

  /**
   * Least bytes of stack for one level of {@link #descend}: of its 40 longs at most 8 travel in
   * registers, and compilers may put two levels into one frame.
   */
  private static final int BYTES_PER_LEVEL = (40 - 8) * Long.BYTES / 2;

  /** Of ggml, which visits the operands of an operation before the operation. */
  private static final int BYTES_PER_NODE = 256;

  /**
   * A thread with a large stack, of which next to nothing is used when native code calls back on
   * it.
   */
  private static final class RoomyThread extends Thread {
    final boolean forGraphs;

    RoomyThread(Runnable task, boolean forGraphs) {
      super(null, task, NAME, OWN_STACK);
      this.forGraphs = forGraphs;
    }
  }

  private static final String NAME = "ocellus-native";

  static {
    Thrown.rethrow(null); // loaded now, as there may be no heap for it when it is needed
  }

  private NativeStack() {}

  /** Calls on this thread if it has room, else on a thread of its own, and waits for that. */
  public static <T> T call(Supplier<T> call) {
    return call(ROOM, call);
  }

  /**
   * As {@link #call(Supplier)}.
   *
   * @param room bytes that native code takes until it calls back
   */
  public static <T> T call(int room, Supplier<T> call) {
    return hasRoom(room) ? call.get() : callOnOwnThread(OWN_STACK, call);
  }

  /** As {@link #call}, for what returns nothing. */
  public static void run(Runnable run) {
    if (hasRoom(ROOM)) {
      run.run();
    } else {
      runOnOwnThread(run);
    }
  }

  /** Runs on a thread of its own with a large stack, and waits for that. */
  static void runOnOwnThread(Runnable run) {
    callOnOwnThread(
        OWN_STACK,
        () -> {
          run.run();
          return true;
        });
  }

  /**
   * Runs what goes into itself for every operation of a graph, one after the other.
   *
   * @param nNodes operations
   */
  static void runForGraph(int nNodes, Runnable run) {
    long bytes = ROOM + (long) nNodes * BYTES_PER_NODE;
    if (bytes <= OWN_STACK / 2 && hasRoom((int) bytes)) {
      run.run();
    } else {
      callOnOwnThread(
          OWN_STACK + bytes,
          () -> {
            run.run();
            return true;
          });
    }
  }

  /** As {@link #callOnOwnThread(long, Supplier)}, with a stack for any call of ggml. */
  public static <T> T callOnOwnThread(Supplier<T> call) {
    return callOnOwnThread(OWN_STACK, call);
  }

  /**
   * Calls on a thread of its own, and waits for it. What it throws is thrown here.
   *
   * @param stackBytes stack of that thread
   * @throws GgmlException if the system gives no thread, or no address space for its stack
   */
  public static <T> T callOnOwnThread(long stackBytes, Supplier<T> call) {
    return callOn(stackBytes, task -> new Thread(null, task, NAME, stackBytes), call);
  }

  /**
   * Calls where {@link #hasRoom} is known to hold for what is called back, without a way down: for
   * computations that ask it again and again. A main thread of 1 MiB has less room than a way down
   * of 192 KiB takes, and learns that from an exception each time.
   */
  static <T> T callWithRoom(Supplier<T> call) {
    return Thread.currentThread() instanceof RoomyThread
        ? call.get()
        : callOn(OWN_STACK, task -> new RoomyThread(task, false), call);
  }

  /** The same for computing a graph of this project, on a thread that computes nothing else. */
  static <T> T callForGraph(Supplier<T> call) {
    return isForGraphs()
        ? call.get()
        : callOn(OWN_STACK, task -> new RoomyThread(task, true), call);
  }

  /** Whether this thread computes graphs of this project and nothing else. */
  static boolean isForGraphs() {
    return Thread.currentThread() instanceof RoomyThread thread && thread.forGraphs;
  }

  /**
   * Starts a thread that computes graphs of this project and nothing else.
   *
   * @throws GgmlException if the system gives no thread, or no address space for its stack
   */
  static Thread startForGraphs(Runnable task) {
    Thread thread = new RoomyThread(task, true);
    start(thread, OWN_STACK);
    return thread;
  }

  private static <T> T callOn(long stackBytes, Function<Runnable, Thread> maker, Supplier<T> call) {
    var handover = new Handover<T>(call);
    Thread thread = maker.apply(handover);
    start(thread, stackBytes);
    waitFor(thread);
    return handover.get();
  }

  /**
   * What a thread called, for the one that waits for its end. Nothing is made here: with a full
   * heap, too, the result arrives.
   */
  private static final class Handover<T> implements Runnable {
    private final Supplier<T> call;
    private @Nullable T result;
    private @Nullable Throwable thrown;

    Handover(Supplier<T> call) {
      this.call = call;
    }

    @Override
    public void run() {
      try {
        result = call.get();
      } catch (Throwable e) {
        thrown = e;
      }
    }

    @SuppressWarnings("NullAway") // the result is what was called for, null too
    T get() {
      Thrown.rethrow(thrown);
      return result;
    }
  }

  /**
   * Waits for the end of a thread. An interrupt waits too, and so does a full heap, as what native
   * code works with must not be freed meanwhile.
   */
  public static void waitFor(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      } catch (OutOfMemoryError e) { // of the exception, or of what is linked here
        Thread.onSpinWait();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void start(Thread thread, long stackBytes) {
    thread.setDaemon(true);
    try {
      thread.start();
    } catch (OutOfMemoryError e) {
      throw new GgmlException(
          "The system gives no thread with a stack of %d MiB for native code (%s). Use fewer threads, or raise the limits on threads and address space."
              .formatted(stackBytes >> 20, e.getMessage()));
    }
  }

  /** Whether this thread has so many bytes of stack left, besides what the JVM keeps anyway. */
  static boolean hasRoom(int bytes) {
    if (Thread.currentThread() instanceof RoomyThread && bytes <= OWN_STACK / 4) {
      return true;
    }
    try {
      descend(
          bytes / BYTES_PER_LEVEL,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0);
      return true;
    } catch (StackOverflowError e) {
      return false;
    }
  }

  /**
   * Goes so many levels down and comes back. There is no other way to ask a JVM for the stack that
   * is left, so every level has so many arguments that most of them have to lie on the stack.
   */
  @SuppressWarnings("UnusedVariable") // they only take room
  private static int descend(
      int levels,
      long a,
      long b,
      long c,
      long d,
      long e,
      long f,
      long g,
      long h,
      long i,
      long j,
      long k,
      long l,
      long m,
      long n,
      long o,
      long p,
      long q,
      long r,
      long s,
      long t,
      long u,
      long v,
      long w,
      long x,
      long y,
      long z,
      long aa,
      long ab,
      long ac,
      long ad,
      long ae,
      long af,
      long ag,
      long ah,
      long ai,
      long aj,
      long ak,
      long al,
      long am,
      long an) {
    return levels <= 0
        ? 0
        : 1
            + descend(
                levels - 1,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0,
                0);
  }
}
