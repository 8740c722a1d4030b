/**
 * How a model is opened and what its sessions may use: files, devices, precision, parallel
 * sessions, speculative decoding, caches. Plain values.
 *
 * <p>It knows the options of text models and of image preprocessing, and none of the code that
 * obeys them.
 */
package dev.ocellus.vlm.options;
