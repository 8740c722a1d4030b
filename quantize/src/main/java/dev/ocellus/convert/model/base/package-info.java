/**
 * What converters are made of: a text model and an image encoder as most checkpoints have them,
 * names of tensors, shapes, and the parts of configurations that families share. Knows no family.
 */
package dev.ocellus.convert.model.base;
