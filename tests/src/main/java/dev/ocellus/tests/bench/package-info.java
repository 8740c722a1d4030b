/** Benchmarks: against llama.cpp's own tools, and of single parts with JMH. */
package dev.ocellus.tests.bench;
