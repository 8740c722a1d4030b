package dev.ocellus.accel;

/**
 * ggml's functions that convert numbers, those for the processor at hand where they can be had.
 *
 * @param f16ToF32 exactly
 * @param bf16ToF32 exactly
 * @param f32ToBf16 rounded to the nearest
 */
public record Conversions(
    RowConversion f16ToF32, RowConversion bf16ToF32, RowConversion f32ToBf16) {}
