package dev.ocellus.spark;

import org.jspecify.annotations.Nullable;

/**
 * What became of a row.
 *
 * @param values the fields of the request's result; null if it failed
 * @param millis how long it took, waiting for others included
 */
@SuppressWarnings("ArrayRecordComponent") // carried from thread to thread, never compared
record RowOutcome(
    Object @Nullable [] values, Seen seen, double millis, @Nullable RowFailure failure) {}
