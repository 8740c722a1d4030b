package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VersionCheckTest {
  private static final Path DIRECTORY = Path.of("own-build");

  @ParameterizedTest
  @CsvSource({"0.4.0,0.23.0", "0.4.0-dev,0.23.0", "0.4.0-dev,0.23.0-dev"})
  void acceptsTheVersionOfTheBindingsWhateverTheCommit(String llama, String ggml) {
    NativeVersion version = new NativeVersion(llama, ggml, "unknown");

    assertThat(VersionCheck.check(() -> version, DIRECTORY)).isEqualTo(version);
  }

  @ParameterizedTest
  @CsvSource({"0.5.0,0.23.0", "0.4.1-dev,0.23.0", "0.4.0,0.24.0", "0.4,0.23.0", "'',''"})
  void refusesAnyOtherVersionWithTheRemedy(String llama, String ggml) {
    NativeVersion version = new NativeVersion(llama, ggml, "abc1234");

    assertThatThrownBy(() -> VersionCheck.check(() -> version, DIRECTORY))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("libraries in own-build are llama.cpp " + llama + ", ggml " + ggml)
        .hasMessageContaining("needs llama.cpp 0.4.0, ggml 0.23.0")
        .hasMessageContaining("Build llama.cpp at the tag v0.4.0, or unset -Docellus.native.dir");
  }
}
