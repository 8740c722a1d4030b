package dev.ocellus.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.options.LoadOptions;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class DemoModelTest {
  @Test
  void unpacksBothFilesThatItsListingStates() throws Exception {
    LoadOptions files = DemoModel.files(); // refuses files whose hashes are not the listing's
    Path mmproj = Objects.requireNonNull(files.mmproj());
    try (GgufFile text = GgufFile.open(files.model());
        GgufFile encoder = GgufFile.open(mmproj)) {
      assertThat(text.metadata().string("general.architecture", "")).isEqualTo("llama");
      assertThat(encoder.metadata().string("general.architecture", "")).isEqualTo("clip");
    }
  }
}
