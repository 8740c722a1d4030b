/** Keeps converted checkpoints, so that a checkpoint can be opened like a model file. */
package dev.ocellus.convert.cache;
