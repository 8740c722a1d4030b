package dev.ocellus.nativelib;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SettingsTest {
  private static final Path ABSOLUTE = Path.of("somewhere").toAbsolutePath();

  private final Map<String, String> properties = new HashMap<>(Map.of("user.home", "/home/u"));
  private final Map<String, String> environment = new HashMap<>();

  @Test
  void propertyWinsOverTheVariable() {
    environment.put("OCELLUS_NATIVE_DIR", "/from-variable");
    assertThat(explicit().origin()).isEqualTo("OCELLUS_NATIVE_DIR");

    properties.put("ocellus.native.dir", "/from-property");
    assertThat(explicit().directory()).isEqualTo(Path.of("/from-property").toAbsolutePath());
    assertThat(explicit().origin()).isEqualTo("-Docellus.native.dir");
  }

  @Test
  void blankMeansNotSet() {
    properties.put("ocellus.native.dir", " ");
    environment.put("OCELLUS_NATIVE_DIR", "");

    assertThat(settings(Os.LINUX).explicit()).isEmpty();
  }

  @Test
  void cacheFollowsTheConventionsOfEachSystem() {
    assertThat(settings(Os.LINUX).cache()).isEqualTo(Path.of("/home/u/.cache/ocellus/natives"));
    assertThat(settings(Os.MAC).cache())
        .isEqualTo(Path.of("/home/u/Library/Caches/ocellus/natives"));
    assertThat(settings(Os.WINDOWS).cache())
        .isEqualTo(Path.of("/home/u/AppData/Local/ocellus/natives"));

    environment.put("XDG_CACHE_HOME", ABSOLUTE.toString());
    environment.put("LOCALAPPDATA", ABSOLUTE.toString());
    assertThat(settings(Os.LINUX).cache()).isEqualTo(ABSOLUTE.resolve("ocellus/natives"));
    assertThat(settings(Os.WINDOWS).cache()).isEqualTo(ABSOLUTE.resolve("ocellus/natives"));
  }

  @Test
  void relativeXdgCacheHomeIsIgnored() {
    environment.put("XDG_CACHE_HOME", "relative");

    assertThat(settings(Os.LINUX).cache()).isEqualTo(Path.of("/home/u/.cache/ocellus/natives"));
  }

  @Test
  void cachePropertyWinsOverTheConventions() {
    environment.put("XDG_CACHE_HOME", "/elsewhere");
    properties.put("ocellus.cache.dir", ABSOLUTE.toString());

    assertThat(settings(Os.LINUX).cache()).isEqualTo(ABSOLUTE.resolve("natives"));
  }

  @Test
  void refusesAnUnknownVariantAndAnImpossiblePath() {
    properties.put("ocellus.native.variant", "rocm");
    assertThatThrownBy(() -> settings(Os.LINUX))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("rocm")
        .hasMessageContaining("cpu, cuda, vulkan or metal");

    properties.put("ocellus.native.variant", "CUDA");
    assertThat(settings(Os.LINUX).gpu()).contains(Gpu.CUDA);

    properties.put("ocellus.native.dir", "nul\0byte");
    assertThatThrownBy(() -> settings(Os.LINUX))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("-Docellus.native.dir is not a path");
  }

  private Settings.Explicit explicit() {
    return settings(Os.LINUX).explicit().orElseThrow();
  }

  private Settings settings(Os os) {
    return Settings.of(properties::get, environment, Optional.of(os));
  }
}
