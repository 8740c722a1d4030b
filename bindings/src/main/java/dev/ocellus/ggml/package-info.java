/**
 * ggml from Java: devices, weights, graphs of tensors, and their execution.
 *
 * <p>ggml aborts the process on a failed assertion, so every operation here checks in Java what
 * ggml would assert on and throws {@link dev.ocellus.compute.GgmlException} instead. Shapes are in
 * ggml order, innermost dimension first.
 */
package dev.ocellus.ggml;
