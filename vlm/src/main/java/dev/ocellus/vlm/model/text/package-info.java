/**
 * Text models as graphs of their own, for {@link dev.ocellus.vlm.decode.GraphDecoder}, where
 * libllama is not to compute them.
 */
package dev.ocellus.vlm.model.text;
