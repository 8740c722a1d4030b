package dev.ocellus.vlm.model;

import dev.ocellus.Setting;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.gguf.GgufFile;

/** A model file of another kind than is needed; it says what it is, and where it belongs. */
public class WrongModelKindException extends UnsupportedArchitectureException {
  private static final long serialVersionUID = 1;

  private final ModelKind expected;
  private final ModelKind found;

  WrongModelKindException(GgufFile file, ModelKind expected, ModelKind found) {
    super(
        "%s is %s%s, not %s. %s"
            .formatted(
                file.path(),
                found.description(),
                architecture(file),
                expected.description(),
                found.advice()));
    this.expected = expected;
    this.found = found;
    about(Setting.MODEL, Setting.MMPROJ);
  }

  private static String architecture(GgufFile file) {
    return file.metadata()
        .findString("general.architecture")
        .filter(name -> !name.equals("clip")) // which names a container of several kinds
        .map(" of architecture '%s'"::formatted)
        .orElse("");
  }

  /** The kind that is needed. */
  public ModelKind expected() {
    return expected;
  }

  /** The kind that the file is of. */
  public ModelKind found() {
    return found;
  }
}
