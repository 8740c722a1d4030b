package dev.ocellus.ggml;

import static dev.ocellus.ffi.ggml_h.C_POINTER;

import dev.ocellus.ffi.ggml_backend_get_features_t;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_threadpool_params;
import dev.ocellus.nativelib.WordCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Functions that a backend offers by name ({@code ggml_backend_reg_get_proc_address}).
 *
 * <p>The CPU backend is a library that ggml itself picks and loads for the processor at hand, so
 * its functions are not among the symbols of the libraries that we load.
 */
final class BackendFunctions {
  private static final Map<Long, BackendFunctions> BY_REGISTRY = new ConcurrentHashMap<>();
  private static final MemoryLayout FEATURE = MemoryLayout.structLayout(C_POINTER, C_POINTER);

  private final MemorySegment registry;
  private final Map<String, Optional<MemorySegment>> known = new ConcurrentHashMap<>();

  private BackendFunctions(MemorySegment registry) {
    this.registry = registry;
  }

  /** The functions of the backend that a device belongs to. */
  static BackendFunctions of(MemorySegment device) {
    MemorySegment registry = ggml_h.ggml_backend_dev_backend_reg(device);
    return BY_REGISTRY.computeIfAbsent(
        registry.address(), address -> new BackendFunctions(registry));
  }

  private MemorySegment address(String name) {
    try (Arena scratch = Arena.ofConfined()) {
      return ggml_h.ggml_backend_reg_get_proc_address(registry, scratch.allocateFrom(name));
    }
  }

  /** The address of a function; empty if the backend has none of that name. */
  private Optional<MemorySegment> find(String name) {
    return known.computeIfAbsent(
        name, n -> Optional.of(address(n)).filter(address -> address.address() != 0));
  }

  /** Sets how many threads a backend uses; backends without threads ignore it. */
  void setThreads(MemorySegment backend, int nThreads) {
    find("ggml_backend_set_n_threads")
        .ifPresent(f -> WordCalls.call(f, backend, WordCalls.word(nThreads)));
  }

  /** Lets a backend ask {@code callback} between graph nodes whether to stop; NULL ends that. */
  void setAbortCallback(MemorySegment backend, MemorySegment callback, MemorySegment data) {
    find("ggml_backend_set_abort_callback")
        .ifPresent(f -> WordCalls.call(f, backend, callback, data));
  }

  /** Whether {@link #setAbortCallback} does anything. */
  boolean canAbort() {
    return find("ggml_backend_set_abort_callback").isPresent();
  }

  /**
   * Starts a pool of {@code nThreads} threads, which wait for work instead of being started for
   * every graph; NULL where the backend has none.
   *
   * @param polling how long they look out for the next graph before they sleep, 0 to 100
   */
  MemorySegment newThreadPool(int nThreads, int polling) {
    Optional<MemorySegment> create = find("ggml_threadpool_new");
    if (create.isEmpty()) {
      return MemorySegment.NULL;
    }
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment params = ggml_threadpool_params.allocate(scratch);
      ggml_h.ggml_threadpool_params_init(params, nThreads);
      ggml_threadpool_params.poll(params, polling);
      return WordCalls.pointer(WordCalls.call(create.get(), params));
    }
  }

  /** Ends the threads of a pool. */
  void freeThreadPool(MemorySegment pool) {
    find("ggml_threadpool_free").ifPresent(f -> WordCalls.call(f, pool));
  }

  /** Makes a backend compute on the threads of a pool. */
  void setThreadPool(MemorySegment backend, MemorySegment pool) {
    find("ggml_backend_cpu_set_threadpool").ifPresent(f -> WordCalls.call(f, backend, pool));
  }

  /** The address of some function of the backend's library; NULL if it offers none. */
  MemorySegment anyAddress() {
    return address("ggml_backend_set_n_threads");
  }

  /** Names of the features that are on, with their value where it is not 1. */
  List<String> features() {
    MemorySegment function = address("ggml_backend_get_features");
    if (function.address() == 0) {
      return List.of();
    }
    List<String> features = new ArrayList<>();
    MemorySegment list = ggml_backend_get_features_t.invoke(function, registry);
    for (long offset = 0; ; offset += FEATURE.byteSize()) {
      MemorySegment name = list.get(C_POINTER, offset);
      if (name.address() == 0) {
        return List.copyOf(features);
      }
      String value = list.get(C_POINTER, offset + C_POINTER.byteSize()).getString(0);
      features.add(value.equals("1") ? name.getString(0) : name.getString(0) + "=" + value);
    }
  }
}
