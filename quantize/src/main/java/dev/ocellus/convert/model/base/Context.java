package dev.ocellus.convert.model.base;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;
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
  private static final int SHOWN = 5;

  /** A context without warnings yet. */
  public static Context of(HfFolder folder, String modelName, @Nullable String preTokenizer) {
    return new Context(folder, modelName, preTokenizer, new ArrayList<>());
  }

  /**
   * For a tensor of the checkpoint that the file has no name for.
   *
   * @param model what the checkpoint was taken for
   */
  public ConversionException unknownTensor(String name, String model) {
    return new ConversionException(
        "%s: tensor '%s' has no place in %s. The checkpoint is of another architecture, or newer than this program (docs/ADDING_A_MODEL.md)."
            .formatted(folder.directory(), name, model));
  }

  /**
   * For two tensors of the checkpoint that would be one of the file.
   *
   * @param name in the file
   * @param source one of the two
   */
  public ConversionException sameTensor(String name, String source) {
    return new ConversionException(
        "%s: two tensors become '%s', one of them '%s'. Two checkpoints were mixed in one folder."
            .formatted(folder.directory(), name, source));
  }

  /**
   * For tensors that the checkpoint should have.
   *
   * @param which what they are tensors of, such as " of the image encoder"; empty for the model
   * @param names in the file; some of them are named
   */
  public ConversionException missingTensors(String which, Collection<String> names) {
    return new ConversionException(
        "%s: tensors%s are missing for %s%s. Is a file of the checkpoint missing?"
            .formatted(
                folder.directory(),
                which,
                names.stream().limit(SHOWN).collect(Collectors.joining(", ")),
                names.size() > SHOWN ? " and others" : ""));
  }

  public void warn(String warning) {
    if (!warnings.contains(warning)) {
      warnings.add(warning);
    }
  }
}
