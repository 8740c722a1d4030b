/**
 * The contract of a vision family: how images stand in a prompt, how they are preprocessed and
 * which graph encodes them. {@link dev.ocellus.vlm.vision.VisionArchitecture} is made of these
 * three parts.
 *
 * <p>It may use images and graph blocks. The families are in {@code model}, which this package does
 * not know.
 */
package dev.ocellus.vlm.vision;
