package dev.ocellus.ggml;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.ffi.ggml_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Runs native computations that stop at an assertion for some data, so that this is an exception.
 *
 * <p>ggml calls back before it ends the process, on the thread that failed. That thread is one of
 * the guard's own, and never returns from the callback: it sleeps for the rest of the process,
 * while the caller gets the message. Only for computations that hold no lock and leave nothing
 * behind but their output, such as {@code ggml_quantize_chunk} ({@code docs/decisions}, "Quantizers
 * that assert").
 */
final class AbortGuard {
  private static final Executor THREADS =
      Executors.newCachedThreadPool(
          Thread.ofPlatform().daemon().name("ocellus-guarded-", 0).factory());

  private static final ThreadLocal<@Nullable Call> CALL = new ThreadLocal<>();

  private AbortGuard() {}

  /** Takes over what ggml does before it ends the process. Called once, before any computation. */
  static void install() {
    ggml_h.ggml_set_abort_callback(
        Upcalls.stub((message, b, c) -> aborted(message), Arena.global()));
  }

  /**
   * Runs a native call on a thread of the guard and waits for it. An interrupt waits too, as native
   * code cannot be interrupted.
   *
   * @throws GgmlException if an assertion of ggml failed; its output is not to be used then
   */
  static void run(Runnable nativeCall) {
    Call call = new Call(nativeCall);
    THREADS.execute(call);
    call.await();
    Thrown.rethrow(call.thrown);
  }

  /** A call and how it ended. Nothing is made here, so that the caller never waits in vain. */
  private static final class Call implements Runnable {
    private final Runnable nativeCall;
    private boolean ended;
    private @Nullable Throwable thrown;

    Call(Runnable nativeCall) {
      this.nativeCall = nativeCall;
    }

    @Override
    public void run() {
      Throwable failure = null;
      try {
        CALL.set(this);
        nativeCall.run();
        CALL.remove();
      } catch (Throwable e) {
        failure = e;
      }
      end(failure);
    }

    synchronized void end(@Nullable Throwable failure) {
      thrown = failure;
      ended = true;
      notifyAll();
    }

    synchronized void await() {
      boolean interrupted = false;
      while (!ended) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        } catch (OutOfMemoryError e) { // of that exception
          Thread.onSpinWait();
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** The callback. If it returns, the process ends. */
  private static long aborted(long message) {
    Call call = null;
    try {
      if (message == 0) { // a trial
        return 0;
      }
      call = CALL.get();
      String text = MemorySegment.ofAddress(message).reinterpret(Long.MAX_VALUE).getString(0);
      if (call == null) {
        System.err.println(text); // what ggml does without a callback
        return 0;
      }
      call.end(new GgmlException(text));
    } catch (Throwable e) { // nothing may cross into native code
      if (call == null) {
        return 0;
      }
      call.end(e); // no heap for the message
    }
    while (true) {
      LockSupport.park();
      Thread.interrupted(); // or park would return at once for ever
    }
  }
}
