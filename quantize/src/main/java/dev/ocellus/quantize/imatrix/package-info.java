/** Importance matrices: how much every column of a weight matters. */
package dev.ocellus.quantize.imatrix;
