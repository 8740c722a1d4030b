package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NativeManifestTest {
  private static final String HEAD = "ocellus-natives 1\nplatform linux-x64\nllama.cpp v0.4.0\n";
  private static final String HASH = "0123456789abcdef".repeat(4);

  @Test
  void readsWhatTheBuildWrites() {
    NativeManifest manifest =
        parse(HEAD + "package p@1 sha512-x\nfile " + HASH + " 12 fallback/libggml-cuda.so\n");

    assertThat(manifest.platform()).isEqualTo("linux-x64");
    assertThat(manifest.tag()).isEqualTo("v0.4.0");
    assertThat(manifest.files())
        .containsExactly(new NativeManifest.Entry("fallback/libggml-cuda.so", 12, HASH));
  }

  @Test
  void differentContentsGetDifferentDirectories() {
    NativeManifest one = parse(HEAD + "file " + HASH + " 1 a.so\n");
    NativeManifest two = parse(HEAD + "file " + HASH + " 2 a.so\n");

    assertThat(one.directoryName()).startsWith("linux-x64-v0.4.0-");
    assertThat(one.directoryName()).isNotEqualTo(two.directoryName());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../evil.so",
        "/evil.so",
        "a/../evil.so",
        "a/b/evil.so",
        "..",
        "C:\\evil.dll",
        "a\\evil.dll",
        ""
      })
  void refusesNamesThatLeaveTheDirectory(String name) {
    assertThatThrownBy(() -> parse(HEAD + "file " + HASH + " 1 " + name + "\n"))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("test://manifest")
        .hasMessageContaining("damaged");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "ocellus-natives 2\n",
        "ocellus-natives 1\n",
        "ocellus-natives 1\nplatform linux-x64\nllama.cpp v0.4.0\n",
        "ocellus-natives 1\nplatform ../x\nllama.cpp v0.4.0\nfile 00 1 a\n",
        "ocellus-natives 1\nplatform linux-x64\nllama.cpp v0.4.0\nfile 00 1 a.so\n",
        "ocellus-natives 1\nplatform linux-x64\nllama.cpp v0.4.0\nwhatever\n"
      })
  void refusesDamagedText(String text) {
    assertThatThrownBy(() -> parse(text)).isInstanceOf(NativeLibraryException.class);
  }

  @Test
  void refusesAPlatformThatIsAPath() {
    assertThatThrownBy(() ->
            parse("ocellus-natives 1\nplatform ../x\nllama.cpp v0.4.0\nfile " + HASH + " 1 a\n"))
        .hasMessageContaining("no valid platform");
  }

  private static NativeManifest parse(String text) {
    return NativeManifest.parse(text.getBytes(StandardCharsets.UTF_8), "test://manifest");
  }
}
