/**
 * Vision families, one file each: what they write into prompts, how they prepare images, what they
 * compute. {@link dev.ocellus.vlm.model.ModelRegistry} is the door: it tells kinds of files apart
 * and lists the families of each.
 */
package dev.ocellus.vlm.model;
