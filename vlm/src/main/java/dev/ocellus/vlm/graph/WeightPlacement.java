package dev.ocellus.vlm.graph;

/** Where matrices of weights lie that are multiplied with on a CPU. */
public enum WeightPlacement {
  /**
   * In the file's mapping, or in memory where the {@link dev.ocellus.compute.MatrixPrecision} asks
   * for another type than the file has: for graphs that run often with few rows.
   */
  CONVERTED,

  /**
   * As {@link #CONVERTED}, and those that many rows were multiplied with also in the order in which
   * their kernel reads them, which takes as much memory as they have in F32, together at most a
   * quarter of the machine's: for many items with few rows.
   */
  PACKED,

  /**
   * In the file's mapping, converted a piece at a time in each product; pages are given back after
   * it. For items of many rows, beside whose products this costs little. Only where an accelerator
   * multiplies BF16 and the precision is rounded to it; else as {@link #CONVERTED}.
   */
  IN_FILE
}
