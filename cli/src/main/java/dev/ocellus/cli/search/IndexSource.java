package dev.ocellus.cli.search;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the model of an index is named, as the index keeps it: {@code demo}, or what was given for it
 * with the options that belong to it, each behind the one before.
 *
 * @param model a path, or the name of a model; {@link #DEMO} for the embedded one
 * @param mmproj image encoder of a text model; null if none was given
 * @param mmprojType which of the image encoders that a name stands for; null if none was given
 * @param modelType which of the models that a file holds; null if none was given
 */
record IndexSource(
    String model,
    @Nullable String mmproj,
    @Nullable String mmprojType,
    @Nullable String modelType) {
  static final String DEMO = "demo";

  private static final String MMPROJ = " --mmproj ";
  private static final String MMPROJ_TYPE = " --mmproj-type ";
  private static final String MODEL_TYPE = " --model-type ";

  /** What an index keeps. */
  static IndexSource parse(String text) {
    List<@Nullable String> values = new ArrayList<>();
    String rest = text;
    for (String option : List.of(MODEL_TYPE, MMPROJ_TYPE, MMPROJ)) { // the last is the first
      int at = rest.lastIndexOf(option);
      values.add(at < 0 ? null : rest.substring(at + option.length()));
      rest = at < 0 ? rest : rest.substring(0, at);
    }
    return new IndexSource(rest, values.get(2), values.get(1), values.get(0));
  }

  boolean isDemo() {
    return model.equals(DEMO);
  }

  /** As an index keeps it, and as a person can give it again. */
  @Override
  public String toString() {
    return model
        + option(MMPROJ, mmproj)
        + option(MMPROJ_TYPE, mmprojType)
        + option(MODEL_TYPE, modelType);
  }

  private static String option(String name, @Nullable String value) {
    return value == null ? "" : name + value;
  }
}
