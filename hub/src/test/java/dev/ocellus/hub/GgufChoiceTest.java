package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The choice among the files of a repository, beside llama.cpp's. */
final class GgufChoiceTest {
  private static GgufChoice of(String... paths) {
    return new GgufChoice(
        Stream.of(paths).map(path -> new HubFile(path, 1, "0".repeat(64))).toList());
  }

  private static List<String> model(GgufChoice choice, String name) {
    return choice.model(HubName.parse(name)).stream().map(HubFile::path).toList();
  }

  private static String mmproj(GgufChoice choice, String model, PullOptions options) {
    return choice
        .mmproj(new HubFile(model, 1, "0".repeat(64)), options)
        .map(HubFile::path)
        .orElse("none");
  }

  @Test
  void takesTheUsualTypesFirst() {
    assertThat(model(of("a-Q2_K.gguf", "a-Q8_0.gguf", "a-Q4_K_M.gguf"), "o/r"))
        .containsExactly("a-Q4_K_M.gguf");
    assertThat(model(of("a-Q2_K.gguf", "a-Q8_0.gguf"), "o/r")).containsExactly("a-Q8_0.gguf");
    assertThat(model(of("mmproj-a-Q4_K_M.gguf", "a-F16.gguf"), "o/r"))
        .containsExactly("a-F16.gguf");
    assertThat(model(of("a.imatrix.gguf", "mtp-a-Q4_K_M.gguf", "a-F16.gguf"), "o/r"))
        .containsExactly("a-F16.gguf");
  }

  @Test
  void takesTheTypeThatIsAskedFor() {
    GgufChoice choice = of("a-Q4_K_M.gguf", "a-q4_k_s.gguf", "sub/Q6_K/a-Q6_K.gguf");
    assertThat(model(choice, "o/r:Q4_K_S")).containsExactly("a-q4_k_s.gguf");
    assertThat(model(choice, "o/r:q6_k")).containsExactly("sub/Q6_K/a-Q6_K.gguf");
    assertThat(model(choice, "o/r/a-q4_k_s.gguf")).containsExactly("a-q4_k_s.gguf");
    assertThatThrownBy(() -> model(choice, "o/r:Q4"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("Q4_K_M, q4_k_s, Q6_K");
  }

  @Test
  void takesAllFilesOfASplitModel() {
    GgufChoice choice =
        of("Q8_0/a-Q8_0-00002-of-00002.gguf", "Q8_0/a-Q8_0-00001-of-00002.gguf", "a-F16.gguf");
    assertThat(model(choice, "o/r"))
        .containsExactly("Q8_0/a-Q8_0-00001-of-00002.gguf", "Q8_0/a-Q8_0-00002-of-00002.gguf");
    assertThatThrownBy(() -> model(of("a-Q8_0-00001-of-00002.gguf"), "o/r"))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("incomplete")
        .hasMessageContaining("a-Q8_0-00002-of-00002.gguf");
  }

  @Test
  void takesTheNearestImageEncoder() {
    PullOptions usual = PullOptions.defaults();
    GgufChoice choice =
        of("mmproj-F32.gguf", "mmproj-F16.gguf", "mmproj-Q8_0.gguf", "sub/mmproj-F16.gguf");
    assertThat(mmproj(choice, "a-Q4_K_M.gguf", usual)).isEqualTo("mmproj-Q8_0.gguf");
    assertThat(mmproj(choice, "a-BF16.gguf", usual)).isEqualTo("mmproj-F16.gguf");
    assertThat(mmproj(choice, "sub/a-Q4_K_M.gguf", usual)).isEqualTo("sub/mmproj-F16.gguf");
    assertThat(mmproj(of("a/mmproj-F16.gguf"), "b/a-F16.gguf", usual)).isEqualTo("none");
    PullOptions f16 = new PullOptions(true, Optional.of("f16"));
    assertThat(mmproj(choice, "a-Q4_K_M.gguf", f16)).isEqualTo("mmproj-F16.gguf");
    assertThat(mmproj(choice, "a-Q4_K_M.gguf", new PullOptions(false, Optional.empty())))
        .isEqualTo("none");
    assertThatThrownBy(() -> mmproj(choice, "a.gguf", new PullOptions(true, Optional.of("BF16"))))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("BF16")
        .hasMessageContaining("mmproj-Q8_0.gguf");
  }
}
