package dev.ocellus.nativelib;

import java.util.Locale;

/** What a build of the libraries can compute on besides the CPU. */
public enum Gpu {
  NONE,
  CUDA,
  VULKAN,
  METAL;

  /** As a user asks for it with {@code ocellus.native.variant}. */
  String wanted() {
    return this == NONE ? "cpu" : lowerCase();
  }

  /** As in file and package names: {@code cuda}. */
  String lowerCase() {
    return name().toLowerCase(Locale.ROOT);
  }
}
