package dev.ocellus.convert.model;

import dev.ocellus.convert.hf.HfFolder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a converter works on.
 *
 * @param folder the checkpoint
 * @param modelName the name for {@code general.name}
 * @param preTokenizer the pre-tokenizer's name that the user forced, or null to recognise it
 * @param warnings what the user should know
 */
public record Context(
    HfFolder folder, String modelName, @Nullable String preTokenizer, List<String> warnings) {
  /** A context without warnings yet. */
  public static Context of(HfFolder folder, String modelName, @Nullable String preTokenizer) {
    return new Context(folder, modelName, preTokenizer, new ArrayList<>());
  }

  void warn(String warning) {
    if (!warnings.contains(warning)) {
      warnings.add(warning);
    }
  }
}
