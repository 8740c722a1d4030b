package dev.ocellus.cli.command;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Which numbers an option takes; any other is a mistake in the command line, found before anything
 * is opened. Numbers with a fraction are finite, whatever the range. Every option that is a number
 * has one, which a test sees to.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
public @interface Range {
  /** Most threads that ggml takes. */
  int MAX_THREADS = 512;

  /** The least. */
  double min() default Double.NEGATIVE_INFINITY;

  /** What all are above, where there is no least. */
  double above() default Double.NEGATIVE_INFINITY;

  /** The largest. */
  double max() default Double.POSITIVE_INFINITY;

  /** One more that has a meaning of its own. */
  double or() default Double.NaN;
}
