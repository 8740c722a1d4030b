package dev.ocellus.ggml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ocellus.ffi.ggml_backend_dev_props;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.nativelib.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A device of ggml in Java: the tables of functions that {@code ggml-backend-impl.h} asks for,
 * filled with calls back. They live as long as the process, as ggml takes no device away again.
 *
 * <p>Nothing here throws, and what ggml asks often allocates nothing.
 */
final class AccelDevice {
  /** Of the tables below; ggml 0.23.0, which is the only one that is loaded. */
  private static final int API_VERSION = 2;

  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final int TYPE = ggml_h.GGML_BACKEND_DEVICE_TYPE_ACCEL();

  // places in struct ggml_backend_reg, in pointers after the version
  private static final int REG_FUNCTIONS = 4;

  /** Functions of struct ggml_backend_device_i; the registry and a context follow. */
  private static final int DEVICE_FUNCTIONS = 15;

  /** Types of buffers in which ggml's CPU backend keeps weights in layouts of its own. */
  private static final Set<String> CPU_LAYOUTS = Set.of("AMX", "CPU_REPACK");

  private final Map<Long, Boolean> readable = new ConcurrentHashMap<>();
  private final MemorySegment name;
  private final MemorySegment description;
  private final MemorySegment device;
  private final MemorySegment registry;
  private final AccelBackends backends;
  private final boolean takesProducts;
  private final boolean takesQuantized;

  /**
   * @param takesProducts false for one that leaves everything to ggml
   * @param takesQuantized whether it takes products with quantized weights, too
   */
  AccelDevice(
      AccelBackends backends, String description, boolean takesProducts, boolean takesQuantized) {
    this.backends = backends;
    this.takesProducts = takesProducts;
    this.takesQuantized = takesQuantized;
    Arena arena = Arena.global();
    this.name = arena.allocateFrom("ACCEL");
    this.description = arena.allocateFrom(description);
    this.registry = arena.allocate((REG_FUNCTIONS + 2) * ADDRESS.byteSize(), 8);
    this.device = arena.allocate((DEVICE_FUNCTIONS + 2) * ADDRESS.byteSize(), 8);
    fillRegistry(arena);
    fillDevice(arena);
  }

  MemorySegment device() {
    return device;
  }

  MemorySegment registry() {
    return registry;
  }

  /** Whether this device computes products at all. */
  boolean takesProducts() {
    return takesProducts;
  }

  private void fillRegistry(Arena arena) {
    registry.set(JAVA_INT, 0, API_VERSION);
    MemorySegment[] functions = {
      Upcalls.stub((any, b, c) -> name.address(), arena),
      Upcalls.stub((any, b, c) -> 1, arena), // number of devices
      Upcalls.stub((any, index, c) -> device.address(), arena),
      Upcalls.stub((any, wanted, c) -> function(wanted), arena)
    };
    for (int i = 0; i < functions.length; i++) {
      registry.setAtIndex(ADDRESS, 1 + i, functions[i]);
    }
  }

  private void fillDevice(Arena arena) {
    MemorySegment[] functions = new MemorySegment[DEVICE_FUNCTIONS];
    functions[0] = Upcalls.stub((any, b, c) -> name.address(), arena);
    functions[1] = Upcalls.stub((any, b, c) -> description.address(), arena);
    functions[2] = Upcalls.stub((any, free, total) -> memory(free, total), arena);
    functions[3] = Upcalls.stub((any, b, c) -> TYPE, arena);
    functions[4] = Upcalls.stub((any, target, c) -> properties(target), arena);
    functions[5] = Upcalls.stub((any, parameters, c) -> any == 0 ? 0 : open(), arena);
    // it takes no argument, and what is passed to it does no harm
    functions[6] = NativeLibraries.symbols().find("ggml_backend_cpu_buffer_type").orElseThrow();
    functions[9] = Upcalls.stub((any, node, c) -> supports(node) ? 1 : 0, arena);
    functions[10] = Upcalls.stub((any, type, c) -> supportsBuffer(type) ? 1 : 0, arena);
    for (int i = 0; i < functions.length; i++) {
      if (functions[i] != null) { // the others are optional
        device.setAtIndex(ADDRESS, i, functions[i]);
      }
    }
    device.setAtIndex(ADDRESS, DEVICE_FUNCTIONS, registry);
  }

  // ---- what ggml calls; an argument of 0 is a trial

  private long function(long wanted) {
    try {
      return wanted == 0 ? 0 : backends.function(wanted);
    } catch (Throwable e) { // there is then no such function
      return 0;
    }
  }

  private static long memory(long free, long total) {
    if (free != 0 && total != 0) { // it is the processor's, which reports it
      MEMORY.set(JAVA_LONG, free, 0);
      MEMORY.set(JAVA_LONG, total, 0);
    }
    return 0;
  }

  private long properties(long target) {
    if (target == 0) {
      return 0;
    }
    try {
      MemorySegment props = MemorySegment.ofAddress(target).reinterpret(PROPS.byteSize());
      props.fill((byte) 0);
      ggml_backend_dev_props.name(props, name);
      ggml_backend_dev_props.description(props, description);
      ggml_backend_dev_props.type(props, TYPE);
    } catch (Throwable e) { // the struct keeps what it had
      return 0;
    }
    return 0;
  }

  private static final MemoryLayout PROPS = ggml_backend_dev_props.layout();

  private long open() {
    try {
      return backends.open();
    } catch (Throwable e) { // ggml reports that it cannot be opened
      return 0;
    }
  }

  /** While a context is made nothing is computed yet, and no library has to be there. */
  private boolean supports(long node) {
    try {
      return takesProducts
          && node != 0
          && AccelNode.isTaken(node, takesQuantized)
          && (backends.isReady() || StoredWeights.isResolving() || backends.getReady());
    } catch (Throwable e) { // the CPU computes it then
      return false;
    }
  }

  /** Quantized weights are in layouts of ggml's CPU backend, and read from the file instead. */
  private boolean isReadable(long type) {
    MemorySegment segment = MemorySegment.ofAddress(type);
    return ggml_h.ggml_backend_buft_is_host(segment)
        || takesQuantized
            && CPU_LAYOUTS.contains(ggml_h.ggml_backend_buft_name(segment).getString(0));
  }

  private boolean supportsBuffer(long type) {
    try {
      return type != 0 && readable.computeIfAbsent(type, this::isReadable);
    } catch (Throwable e) {
      return false;
    }
  }
}
