package dev.ocellus;

import java.util.List;

/** An exception that knows which settings would change what went wrong. */
public interface SettingsRelated {
  /** The settings, the most useful first; empty where none helps. */
  List<Setting> settings();
}
