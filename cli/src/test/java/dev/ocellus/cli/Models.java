package dev.ocellus.cli;

import dev.ocellus.vlm.DemoModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;

/** Files of the embedded model. */
final class Models {
  private Models() {}

  static Path text() throws IOException {
    return DemoModel.files().model();
  }

  static Path mmproj() throws IOException {
    return Objects.requireNonNull(DemoModel.files().mmproj());
  }
}
