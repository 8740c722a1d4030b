package dev.ocellus.ggml;

import dev.ocellus.ffi.ggml_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Ends computations behind a node of certain names: what comes after it, on the same device, is
 * left out.
 */
public final class StopBehind implements NodeCallback {
  private static final FunctionDescriptor DESCRIPTOR =
      FunctionDescriptor.of(
          ValueLayout.JAVA_BOOLEAN,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_BOOLEAN,
          ValueLayout.JAVA_LONG);

  private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
  private static final long NAME = ggml_tensor.name$offset();

  private final byte[][] names; // with the zero behind each
  private final MemorySegment stub;

  /**
   * @param names that the last node which is wanted may have
   * @param arena must live as long as anything computes with the callback
   */
  public StopBehind(List<String> names, Arena arena) {
    this.names =
        names.stream()
            .map(name -> (name + '\0').getBytes(StandardCharsets.US_ASCII))
            .toArray(byte[][]::new);
    this.stub = Upcalls.stub(MethodHandles.lookup(), this, "call", DESCRIPTOR, arena, 0L, true, 0L);
  }

  @Override
  public MemorySegment stub() {
    return stub;
  }

  @SuppressWarnings("UnusedVariable") // the callback's signature
  private boolean call(long address, boolean ask, long userData) {
    return visit(address, ask);
  }

  /** Whether the node is wanted, and then, when it has been computed, whether to go on. */
  @Override
  public boolean visit(long address, boolean ask) {
    try {
      return address != 0 && ask && isNamed(address + NAME);
    } catch (Throwable e) { // it then computes too much
      return false;
    }
  }

  private boolean isNamed(long address) {
    for (byte[] name : names) {
      if (isNamed(address, name)) {
        return true;
      }
    }
    return false;
  }

  private static boolean isNamed(long address, byte[] name) {
    for (int i = 0; i < name.length; i++) {
      if (MEMORY.get(ValueLayout.JAVA_BYTE, address + i) != name[i]) {
        return false;
      }
    }
    return true;
  }

  @Override
  public void rethrow() {}
}
