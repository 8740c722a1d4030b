/** Every row of docs/benchmarks.md, measured beside llama.cpp's tools. */
@NullMarked
package dev.ocellus.tests.bench.suite;

import org.jspecify.annotations.NullMarked;
