/**
 * Commands that compare images and texts: by vectors ({@code embed}, {@code classify}, {@code
 * index}, {@code search}, {@code dedupe}) or both at once ({@code match}).
 */
@NullMarked
package dev.ocellus.cli.search;

import org.jspecify.annotations.NullMarked;
