/**
 * Commands about files of models: fetched and listed ({@code pull}, {@code models}), made ({@code
 * convert}, {@code quantize}, {@code imatrix}), measured ({@code perplexity}, {@code compare}),
 * shown and changed ({@code inspect}, {@code edit}, {@code split}, {@code merge}, {@code hash},
 * {@code diff}).
 */
@NullMarked
package dev.ocellus.cli.model;

import org.jspecify.annotations.NullMarked;
