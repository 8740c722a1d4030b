package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AcceleratorLoaderTest {
  @TempDir Path temp;

  @ParameterizedTest
  @EnumSource
  void loadsWhatIsBundled(AcceleratorLibrary library) {
    String bundle = library.bundle(Host.current().os().get(), Host.current().arch().get());
    if (Bundle.find(AcceleratorLoader.class.getClassLoader(), bundle).isEmpty()) {
      assertThatThrownBy(() -> AcceleratorLoader.load(library, Optional.empty()))
          .isInstanceOf(NativeLibraryException.class)
          .hasMessageContaining("classifier natives-" + bundle);
      return;
    }
    assertThat(AcceleratorLoader.load(library, Optional.empty()).file()).isRegularFile();
  }

  @Test
  void aDirectoryWithoutTheLibraryIsNamed() {
    assertThatThrownBy(() -> AcceleratorLoader.load(AcceleratorLibrary.OPENBLAS, Optional.of(temp)))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("there is no file " + temp);
  }

  @Test
  void aFileThatIsNoLibraryIsRefusedWithTheLinkersWords() throws IOException {
    Os os = Host.current().os().get();
    String name = AcceleratorLibrary.OPENBLAS.files(os).getLast();
    Files.writeString(temp.resolve(name), "no library");
    assertThatThrownBy(() -> AcceleratorLoader.load(AcceleratorLibrary.OPENBLAS, Optional.of(temp)))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("cannot load " + temp.resolve(name));
  }
}
