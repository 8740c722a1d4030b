/** GGUF models of real size with seeded random weights, for benchmarks and tests. */
package dev.ocellus.tests.synthetic;
