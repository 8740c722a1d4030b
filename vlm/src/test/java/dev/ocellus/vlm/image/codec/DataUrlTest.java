package dev.ocellus.vlm.image.codec;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DataUrlTest {
  /** In base64 "+/+/aQ==", which has both characters that the two alphabets differ in. */
  private static final byte[] BYTES = {(byte) 0xFB, (byte) 0xFF, (byte) 0xBF, 0x69};

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data:image/png;base64,+/+/aQ==",
        "DATA:image/PNG;BASE64,+/+/aQ==",
        "data:;base64,+/+/aQ==",
        "data:image/png;charset=utf-8;base64,+/+/aQ",
        "data:image/png;base64,-_-_aQ==",
        "data:image/png;base64,+/+/\r\n aQ==\n",
        "data:image/png;base64,%2B/%2b%2FaQ%3D%3d",
      })
  void readsEveryFormOfTheSameFile(String url) {
    assertThat(DataUrl.is(url)).isTrue();
    assertThat(DataUrl.bytes(url)).isEqualTo(BYTES);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "data:image/png;base64,+/+/aQ*=",
        "data:image/png;base64,+/-_aQ==",
        "data:image/png;base64,+=+/aQ==",
        "data:image/png;base64,+/+/aQ===",
        "data:image/png;base64,+/+/a",
        "data:image/png;base64,+/+/\u00e4Q==",
        "data:image/png;base64,+/+/\u4e00Q==",
        "data:image/png;base64,+/+/\u0000Q==",
        "data:image/png;base64,%2",
        "data:image/png;base64,%",
        "data:image/png;base64,%zz",
      })
  void refusesWhatIsDamagedInsteadOfLeavingItOut(String url) {
    assertThatThrownBy(() -> DataUrl.bytes(url))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("found 'data:image/png;base64,");
  }

  @ParameterizedTest
  @ValueSource(strings = {"data:", "data:image/png", "data:image/png,abc", "data:base64,abc"})
  void refusesOtherForms(String url) {
    assertThatThrownBy(() -> DataUrl.bytes(url))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected data:image/TYPE;base64,DATA");
  }

  @Test
  void readsBareBase64() {
    assertThat(DataUrl.base64("aGVs\nbG8")).isEqualTo("hello".getBytes(ISO_8859_1));
    assertThatThrownBy(() -> DataUrl.base64("%2B")).hasMessageContaining("not valid base64");
  }
}
