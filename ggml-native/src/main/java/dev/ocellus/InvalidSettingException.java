package dev.ocellus;

import java.util.ArrayList;
import java.util.List;

/** A setting has a value that it cannot have, or that does not go with another. */
public class InvalidSettingException extends IllegalArgumentException implements SettingsRelated {
  private static final long serialVersionUID = 1;

  private final ArrayList<Setting> settings;

  public InvalidSettingException(String message, Setting... settings) {
    super(message);
    this.settings = new ArrayList<>(List.of(settings));
  }

  @Override
  public List<Setting> settings() {
    return List.copyOf(settings);
  }
}
