/** Commands about the machine: its {@code devices}, and how fast models run on it. */
@NullMarked
package dev.ocellus.cli.machine;

import org.jspecify.annotations.NullMarked;
