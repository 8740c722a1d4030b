package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadFailureTest {
  @TempDir Path temp;

  @Test
  void repeatsWhatTheLinkerSaysOfAFileThatIsNoLibrary() throws IOException {
    Path file = Files.writeString(temp.resolve("libggml-vulkan.so"), "no library");

    assertThat(LoadFailure.of(file).orElseThrow())
        .contains("libggml-vulkan.so")
        .contains("needs the Vulkan loader");
  }

  @Test
  void namesTheRemedyOfTheUsualFailures() {
    assertThat(LoadFailure.remedy("version `GLIBC_2.34' not found", "libllama.so"))
        .contains("need glibc 2.34")
        .contains("-Docellus.native.dir");
    assertThat(LoadFailure.remedy("failed to map segment from shared object", "libllama.so"))
        .contains("noexec")
        .contains("-Docellus.cache.dir");
    assertThat(LoadFailure.remedy("libcudart.so.13: cannot open shared object", "libggml-cuda.so"))
        .contains("CUDA 13");
    assertThat(LoadFailure.remedy("something new", "libllama.so")).isEmpty();
  }
}
