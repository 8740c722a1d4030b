/**
 * How Python writes numbers and reads JSON, where chat templates make the difference visible to a
 * model.
 */
package dev.ocellus.vlm.python;
