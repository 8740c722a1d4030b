/** What every part of a conversion shares: its error, and the types of its output. */
package dev.ocellus.convert.common;
