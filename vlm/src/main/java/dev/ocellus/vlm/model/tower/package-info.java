/**
 * Vision and text towers that several families share: transformer stacks over patches or tokens,
 * each bound to the weights of a file.
 *
 * <p>A tower knows blocks, tilings and configurations, and no family.
 */
package dev.ocellus.vlm.model.tower;
