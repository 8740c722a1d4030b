package dev.ocellus.nativelib;

import java.util.List;
import java.util.Optional;

/**
 * The outcome of {@link NativeLibraries#loadBackends()}.
 *
 * @param devices every registered device, in ggml's order
 * @param gpuProblem why the GPU that the libraries were built for is not used; empty if it is, or
 *     if they were built for none
 */
public record BackendReport(List<Device> devices, Optional<String> gpuProblem) {
  public BackendReport {
    devices = List.copyOf(devices);
  }

  /**
   * A device as ggml names it.
   *
   * @param name {@code CPU}, {@code CUDA0} ...
   * @param description the hardware's own name
   */
  public record Device(String name, String description, Kind kind) {}

  /** As {@code enum ggml_backend_dev_type} of ggml-backend.h tells devices apart. */
  public enum Kind {
    CPU,
    GPU,
    INTEGRATED_GPU,
    ACCELERATOR,
    META,
    /** A kind that this version does not know. */
    OTHER;

    static Kind of(int ggmlType) {
      return switch (ggmlType) {
        case 0 -> CPU;
        case 1 -> GPU;
        case 2 -> INTEGRATED_GPU;
        case 3 -> ACCELERATOR;
        case 4 -> META;
        default -> OTHER;
      };
    }

    boolean isGpu() {
      return this == GPU || this == INTEGRATED_GPU;
    }
  }
}
