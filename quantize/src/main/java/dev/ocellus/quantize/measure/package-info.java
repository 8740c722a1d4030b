/** How good a model is, and how far two are apart: perplexity, divergence, errors of weights. */
package dev.ocellus.quantize.measure;
