/** Folders in HuggingFace's layout: configuration, tensors, auxiliary files. */
package dev.ocellus.convert.hf;
