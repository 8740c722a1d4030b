/**
 * Vision architectures, one file each: configuration, preprocessing, encoder, projector. {@link
 * dev.ocellus.vlm.model.Architectures} is the only place that lists them.
 */
package dev.ocellus.vlm.model;
