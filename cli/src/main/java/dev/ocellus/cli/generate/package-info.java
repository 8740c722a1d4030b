/**
 * Commands about models that make images: {@code generate}, {@code reconstruct} and {@code score}.
 */
@NullMarked
package dev.ocellus.cli.generate;

import org.jspecify.annotations.NullMarked;
