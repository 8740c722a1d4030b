package dev.ocellus.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GgufMetadataTest {
  private final Map<String, GgufValue> values = new LinkedHashMap<>();
  private final GgufMetadata m = new GgufMetadata(Path.of("m.gguf"), values);

  @Test
  void takesIntegersOfEveryWidth() {
    for (MetadataType t : MetadataType.values()) {
      if (t.isInteger()) {
        values.put("n", new GgufValue.Int(t, 7));
        assertThat(m.integer("n")).isEqualTo(7);
        assertThat(m.int32("n")).isEqualTo(7);
      }
    }
    values.put("x", new GgufValue.Real(MetadataType.F64, 0.5));
    assertThat(m.f32("x")).isEqualTo(0.5f);
  }

  @Test
  void usesTheDefaultOnlyForAMissingKey() {
    assertThat(m.string("s", "d")).isEqualTo("d");
    assertThat(m.integer("s", 3)).isEqualTo(3);
    assertThat(m.int32("s", 3)).isEqualTo(3);
    assertThat(m.f32("s", 1.5f)).isEqualTo(1.5f);
    assertThat(m.bool("s", true)).isTrue();
    assertThat(m.strings("s", List.of("q"))).containsExactly("q");
    assertThat(m.findString("s")).isEmpty();
    values.put("s", new GgufValue.Bool(true));
    assertThatThrownBy(() -> m.string("s", "d")).isInstanceOf(GgufFormatException.class);
  }

  @Test
  void namesKeyExpectedAndFoundType() {
    values.put("clip.count", GgufString.of("three"));
    assertThatThrownBy(() -> m.integer("clip.count"))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining("m.gguf")
        .hasMessageContaining("'clip.count'")
        .hasMessageContaining("expected an integer")
        .hasMessageContaining("type str");
    assertThatThrownBy(() -> m.integer("gone")).hasMessageContaining("found no such key");
    values.put("a", GgufArray.ofFloats(1));
    assertThatThrownBy(() -> m.strings("a"))
        .isInstanceOf(GgufFormatException.class)
        .hasMessageContaining("array of strings")
        .hasMessageContaining("array of f32");
    assertThatThrownBy(() -> m.integers("a")).isInstanceOf(GgufFormatException.class);
    assertThatThrownBy(() -> m.bools("a")).isInstanceOf(GgufFormatException.class);
    assertThatThrownBy(() -> m.floats("clip.count")).isInstanceOf(GgufFormatException.class);
  }

  @Test
  void refusesIntegersOutOfRange() {
    values.put("big", new GgufValue.Int(MetadataType.U64, -1));
    values.put("wide", new GgufValue.Int(MetadataType.U32, 1L << 31));
    assertThatThrownBy(() -> m.integer("big")).hasMessageContaining("18446744073709551615");
    assertThatThrownBy(() -> m.int32("wide")).hasMessageContaining("32 bits");
    assertThat(m.integer("wide")).isEqualTo(1L << 31);
    assertThatThrownBy(() -> new GgufValue.Int(MetadataType.U8, 256))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesToReadArraysAsWhatTheyAreNot() {
    GgufArray a = GgufArray.ofFloats(1, 2);
    assertThatThrownBy(a::strings).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> a.longAt(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> a.doubleAt(2)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> a.doubleAt(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThat(GgufArray.ofFloats(new float[20]).display()).contains("12 more");
  }
}
