package dev.ocellus.nativelib;

/** A processor architecture with prebuilt libraries. */
public enum Arch {
  X64,
  ARM64
}
