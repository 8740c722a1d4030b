/** Qwen's models, from the first generation to 3.8, with and without images. */
package dev.ocellus.convert.model.qwen;
