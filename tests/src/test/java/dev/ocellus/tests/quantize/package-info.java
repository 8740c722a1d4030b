/** Quantized files, importance matrices and measurements against those of llama.cpp's tools. */
package dev.ocellus.tests.quantize;
