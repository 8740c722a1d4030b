/**
 * Products of large matrices with libraries made for them, on threads of their own. Knows nothing
 * of ggml; {@code dev.ocellus.ggml} makes a device of it.
 */
@org.jspecify.annotations.NullMarked
package dev.ocellus.accel;
