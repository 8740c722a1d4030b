/**
 * What a model is whose texts attend to the states of images, such as BLIP: a contract between the
 * families in {@code model} and what computes with them in {@code imagetext}.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.vlm.fusion;
