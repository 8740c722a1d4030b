package dev.ocellus.cli.log;

import java.io.PrintStream;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.text.MessageFormat;
import java.util.Locale;
import java.util.MissingResourceException;
import java.util.ResourceBundle;
import org.jspecify.annotations.Nullable;

/**
 * Sends log lines to standard error: with {@code --verbose} all of them, otherwise only warnings of
 * Ocellus itself. Errors of ggml and llama.cpp reach the user in exceptions, and are not printed
 * twice. It also saves starting {@code java.logging}.
 */
public final class StderrLoggerFinder extends System.LoggerFinder {
  private static final String NATIVE = "dev.ocellus.ggml";

  private static volatile PrintStream err = System.err;
  private static volatile boolean verbose;
  private static volatile boolean quiet;

  /** Called by the service loader. */
  public StderrLoggerFinder() {}

  /** Sets where lines go and which do. */
  public static void configure(PrintStream err, boolean verbose, boolean quiet) {
    StderrLoggerFinder.err = err;
    StderrLoggerFinder.verbose = verbose;
    StderrLoggerFinder.quiet = quiet;
  }

  @Override
  public Logger getLogger(String name, Module module) {
    return new StderrLogger(name);
  }

  private record StderrLogger(String name) implements Logger {
    @Override
    public String getName() {
      return name;
    }

    @Override
    public boolean isLoggable(Level level) {
      if (level == Level.OFF) {
        return false;
      }
      int severity = level.getSeverity();
      if (verbose) {
        return severity >= Level.DEBUG.getSeverity();
      }
      Level threshold = quiet ? Level.ERROR : Level.WARNING;
      return name.startsWith("dev.ocellus")
          && !name.equals(NATIVE)
          && severity >= threshold.getSeverity();
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String message,
        @Nullable Throwable thrown) {
      if (isLoggable(level)) {
        print(level, localized(bundle, message));
        if (thrown != null) {
          if (verbose) {
            thrown.printStackTrace(err);
          } else {
            err.println("  " + thrown);
          }
        }
      }
    }

    @Override
    public void log(
        Level level,
        @Nullable ResourceBundle bundle,
        @Nullable String format,
        @Nullable Object... parameters) {
      if (isLoggable(level)) {
        String pattern = localized(bundle, format);
        print(
            level,
            parameters == null || parameters.length == 0
                ? pattern
                : MessageFormat.format(pattern, parameters));
      }
    }

    private void print(Level level, String text) {
      err.println("ocellus: %s: %s".formatted(level.getName().toLowerCase(Locale.ROOT), text));
      err.flush();
    }

    private static String localized(@Nullable ResourceBundle bundle, @Nullable String text) {
      if (text == null) {
        return "";
      }
      try {
        return bundle == null ? text : bundle.getString(text);
      } catch (MissingResourceException | ClassCastException e) {
        return text;
      }
    }
  }
}
