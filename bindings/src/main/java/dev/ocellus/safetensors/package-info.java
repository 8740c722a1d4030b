/**
 * safetensors files in pure Java: reading and checking; and what all files of tensors have in
 * common.
 */
package dev.ocellus.safetensors;
