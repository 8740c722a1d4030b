package dev.ocellus.ggml;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.compute.GpuSelection;
import dev.ocellus.ffi.ggml_backend_dev_props;
import dev.ocellus.ffi.ggml_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A processor that ggml can compute on.
 *
 * <p>Devices belong to the process and are never freed, so this is a plain value.
 */
public final class Device {
  /** What a device is to ggml. */
  public enum Kind {
    /** The processor cores. */
    CPU,
    /** A graphics processor with memory of its own. */
    GPU,
    /** A graphics processor that shares the machine's memory. */
    INTEGRATED_GPU,
    /** A helper of the CPU, such as BLAS or AMX. */
    ACCELERATOR
  }

  private final MemorySegment handle;
  private final int index;
  private final Kind kind;

  private Device(MemorySegment handle, int index) {
    this.handle = handle;
    this.index = index;
    int type = ggml_h.ggml_backend_dev_type(handle);
    if (type == ggml_h.GGML_BACKEND_DEVICE_TYPE_CPU()) {
      kind = Kind.CPU;
    } else if (type == ggml_h.GGML_BACKEND_DEVICE_TYPE_GPU()) {
      kind = Kind.GPU;
    } else if (type == ggml_h.GGML_BACKEND_DEVICE_TYPE_IGPU()) {
      kind = Kind.INTEGRATED_GPU;
    } else {
      kind = Kind.ACCELERATOR;
    }
  }

  /** A device that ggml may not list. */
  static Device of(MemorySegment handle) {
    return new Device(handle, -1);
  }

  /** All devices, in ggml's order. */
  public static List<Device> all() {
    Ggml.initialize();
    List<Device> devices = new ArrayList<>();
    for (int i = 0; i < ggml_h.ggml_backend_dev_count(); i++) {
      devices.add(new Device(ggml_h.ggml_backend_dev_get(i), i));
    }
    return List.copyOf(devices);
  }

  /** The processor cores. */
  public static Device cpu() {
    return all().stream()
        .filter(d -> d.kind == Kind.CPU)
        .findFirst()
        .orElseThrow(() -> new GgmlException("ggml has no CPU device; the installation is broken"));
  }

  /**
   * The graphics processors that this process uses, in ggml's order; empty on a machine without
   * one.
   *
   * @throws GgmlException if one was selected that is not there ({@link GpuSelection})
   */
  public static List<Device> gpus() {
    List<Device> gpus =
        all().stream().filter(d -> d.kind == Kind.GPU || d.kind == Kind.INTEGRATED_GPU).toList();
    int selected = GpuSelection.selected();
    if (selected >= gpus.size()) {
      throw new GgmlException(
          "GPU %d was selected, but ggml sees %d here, counted from 0; install a GPU variant of the native libraries and its driver (docs/native-libraries.md), or select another"
              .formatted(selected, gpus.size()));
    }
    return selected < 0 ? gpus : List.of(gpus.get(selected));
  }

  MemorySegment handle() {
    return handle;
  }

  /** Position in {@link #all()}; -1 for one that is not listed. */
  public int index() {
    return index;
  }

  public Kind kind() {
    return kind;
  }

  /** Short name, such as {@code CPU} or {@code CUDA0}. */
  public String name() {
    return ggml_h.ggml_backend_dev_name(handle).getString(0);
  }

  /** Name of the hardware. */
  public String description() {
    return ggml_h.ggml_backend_dev_description(handle).getString(0).strip();
  }

  /** Memory that is free now, in bytes; 0 where the backend does not say. */
  public long freeMemory() {
    return memory(true);
  }

  /** All memory, in bytes; 0 where the backend does not say. */
  public long totalMemory() {
    return memory(false);
  }

  private long memory(boolean free) {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment props = ggml_backend_dev_props.allocate(scratch);
      ggml_h.ggml_backend_dev_get_props(handle, props);
      return free
          ? ggml_backend_dev_props.memory_free(props)
          : ggml_backend_dev_props.memory_total(props);
    }
  }

  /**
   * Instruction sets and build options that the device's backend uses; empty if it does not say.
   */
  public List<String> features() {
    return BackendFunctions.of(handle).features();
  }

  @Override
  public String toString() {
    return name() + " (" + description() + ")";
  }
}
