package dev.ocellus.cli.search;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IndexSourceTest {
  /** The first four are what versions before kept. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "demo | demo | | |",
        "/m/clip.gguf | /m/clip.gguf | | |",
        "/m/a b.gguf --mmproj /m/p.gguf | /m/a b.gguf | /m/p.gguf | |",
        "/m/vl --model-type internvl_g | /m/vl | | | internvl_g",
        "hf://a/b:Q8_0 | hf://a/b:Q8_0 | | |",
        "hf://a/b --mmproj /m/p.gguf | hf://a/b | /m/p.gguf | |",
        "hf://a/b --mmproj-type F16 | hf://a/b | | F16 |",
        "hf://a/b --mmproj-type F16 --model-type t | hf://a/b | | F16 | t",
      })
  void staysAsItIsKept(
      String text, String model, String mmproj, String mmprojType, String modelType) {
    IndexSource source = IndexSource.parse(text);
    assertThat(source).isEqualTo(new IndexSource(model, mmproj, mmprojType, modelType));
    assertThat(source).hasToString(text);
    assertThat(source.isDemo()).isEqualTo(text.equals("demo"));
  }
}
