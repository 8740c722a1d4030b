/**
 * What callers of computations need: how to cancel one, how matrices are multiplied, and how a
 * computation fails.
 */
package dev.ocellus.compute;
