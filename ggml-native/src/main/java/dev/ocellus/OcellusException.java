package dev.ocellus;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Root of every exception that Ocellus throws of its own accord.
 *
 * <p>A message says what failed, where, what was expected, what was found, and what to do, in terms
 * of the API. Misuse of an API is an {@link IllegalArgumentException} or {@link
 * IllegalStateException} instead, and a file that cannot be read is an {@link java.io.IOException}.
 */
public class OcellusException extends RuntimeException implements SettingsRelated {
  private static final long serialVersionUID = 1;

  private final ArrayList<Setting> settings = new ArrayList<>();

  public OcellusException(String message) {
    super(message);
  }

  public OcellusException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** Names settings that would change what went wrong; gives this exception, to be thrown. */
  public final OcellusException about(Setting... related) {
    settings.addAll(List.of(related));
    return this;
  }

  @Override
  public final List<Setting> settings() {
    return List.copyOf(settings);
  }
}
