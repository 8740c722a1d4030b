package dev.ocellus.springai.autoconfigure;

import dev.ocellus.hub.HubSettings;
import dev.ocellus.hub.ModelFiles;
import dev.ocellus.hub.ModelHub;
import dev.ocellus.hub.ModelName;
import dev.ocellus.hub.PullListener;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Where a property says that a model is: a file, a name, or the embedded one. */
record ModelLocation(String text) {
  private static final String DEMO = "demo";

  /** The files of a model that chats. */
  LoadOptions chat(@Nullable String mmproj) throws IOException {
    if (text.equals(DEMO)) {
      return DemoModel.files();
    }
    if (isName()) {
      ModelFiles files = pulled();
      Path encoder = mmproj != null ? Path.of(mmproj) : files.mmproj().orElse(null);
      return encoder == null
          ? LoadOptions.of(files.model())
          : LoadOptions.of(files.model(), encoder);
    }
    return mmproj == null
        ? LoadOptions.of(Path.of(text))
        : LoadOptions.of(Path.of(text), Path.of(mmproj));
  }

  /** The file of a dual encoder. */
  Path embedding() throws IOException {
    if (text.equals(DEMO)) {
      return DemoModel.dualEncoder();
    }
    return isName() ? pulled().model() : Path.of(text);
  }

  private boolean isName() {
    return ModelName.parse(text).isPresent();
  }

  private ModelFiles pulled() throws IOException {
    try (ModelHub hub = ModelHub.open(HubSettings.fromEnvironment())) {
      return hub.get(text, PullListener.NONE);
    }
  }
}
