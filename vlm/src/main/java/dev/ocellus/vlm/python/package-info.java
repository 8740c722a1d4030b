/**
 * How Python writes numbers, reads JSON and knows white space, where chat templates make the
 * difference visible to a model, or the reference reads answers with it.
 */
package dev.ocellus.vlm.python;
