/**
 * Commands that answer about images: {@code chat} with its interactive lines, {@code describe} and
 * {@code ocr}; and the options of an answer.
 */
@NullMarked
package dev.ocellus.cli.chat;

import org.jspecify.annotations.NullMarked;
