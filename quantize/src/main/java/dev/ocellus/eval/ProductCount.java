package dev.ocellus.eval;

import dev.ocellus.ggml.MatMul;
import dev.ocellus.ggml.MatMulObserver;

/** Counts the operations of the products in a graph, without their values. */
public final class ProductCount implements MatMulObserver {
  private double operations;

  @Override
  public boolean wants(MatMul matMul) {
    double rows = (double) matMul.inputSize(1) * matMul.inputSize(2) * matMul.inputSize(3);
    operations += 2.0 * matMul.weightSize(0) * matMul.weightSize(1) * rows;
    return false;
  }

  @Override
  public void observe(MatMul matMul) {
    throw new IllegalStateException("nothing was wanted");
  }

  /** Multiplications and additions so far. */
  public double operations() {
    return operations;
  }
}
