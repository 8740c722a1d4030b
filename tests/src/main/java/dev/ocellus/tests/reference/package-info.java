/** Comparison with golden data that HuggingFace transformers computed. */
package dev.ocellus.tests.reference;
