/** safetensors files in pure Java: reading and checking. */
package dev.ocellus.safetensors;
