package dev.ocellus.accel;

/** What the thread that asks for a product computes of it. */
public enum Caller {
  /** Nothing, since it has not the stack that the libraries need. */
  WAITS,

  /**
   * A part of what does not use the processor's unit for matrices (AMX). ggml's kernels configure
   * that unit once for each thread, and oneDNN leaves it without a configuration, so that the next
   * one of ggml's on the same thread would end the process.
   */
  SHARES_WITHOUT_MATRIX_UNIT,

  /** A part: no kernel of ggml's that uses that unit runs on it. */
  SHARES
}
