package dev.ocellus.nativelib;

/**
 * What a set of loaded libraries says of itself.
 *
 * @param llama from {@code llama_version()}: {@code 0.4.0-dev}
 * @param ggml from {@code ggml_version()}: {@code 0.23.0}
 * @param commit from {@code ggml_commit()}: an abbreviated commit, or {@code unknown}
 */
public record NativeVersion(String llama, String ggml, String commit) {
  /** The llama.cpp release whose headers the bindings were generated from. */
  public static final String TAG = "v0.4.0";

  /** {@code llama_version()} of that release, without the {@code -dev} that most builds append. */
  public static final String LLAMA = "0.4.0";

  /** {@code ggml_version()} of that release. */
  public static final String GGML = "0.23.0";

  /**
   * Whether structs may be passed to these libraries. The commit is no part of it: whoever builds
   * the release from a squashed or patched checkout has another one. Nor is the {@code -dev}
   * suffix, which llama.cpp's build appends unless it is told that it builds a release.
   */
  boolean matchesBindings() {
    return withoutSuffix(llama).equals(LLAMA) && withoutSuffix(ggml).equals(GGML);
  }

  private static String withoutSuffix(String version) {
    int dash = version.indexOf('-');
    return dash < 0 ? version : version.substring(0, dash);
  }

  @Override
  public String toString() {
    return "llama.cpp " + llama + ", ggml " + ggml + " (" + commit + ")";
  }
}
