package dev.ocellus.ggml;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ocellus.accel.Conversions;
import dev.ocellus.accel.RowConversion;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.nativelib.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.Optional;

/**
 * ggml's functions that convert rows of numbers. The CPU backend has them for the processor at hand
 * (five times as fast), but ggml loads that library by itself; where it cannot be found, those for
 * every processor are taken.
 */
final class AccelConversions {
  private AccelConversions() {}

  static Conversions find() {
    SymbolLookup cpu =
        cpuLibrary()
            .<SymbolLookup>map(path -> SymbolLookup.libraryLookup(path, Arena.global()))
            .orElse(name -> Optional.empty());
    return new Conversions(
        RowConversion.of(
            cpu.find("ggml_cpu_fp16_to_fp32").orElseGet(() -> RowCodec.toFloat(TensorType.F16))),
        RowConversion.of(
            cpu.find("ggml_cpu_bf16_to_fp32").orElseGet(() -> RowCodec.toFloat(TensorType.BF16))),
        RowConversion.of(
            cpu.find("ggml_cpu_fp32_to_bf16")
                .or(() -> NativeLibraries.symbols().find("ggml_fp32_to_bf16_row"))
                .orElseThrow()));
  }

  /** The file that the CPU backend was loaded from, by one of its functions. */
  private static Optional<Path> cpuLibrary() {
    Linker linker = Linker.nativeLinker();
    Optional<MemorySegment> dladdr = linker.defaultLookup().find("dladdr");
    MemorySegment function = BackendFunctions.of(Device.cpu().handle()).anyAddress();
    if (dladdr.isEmpty() || function.address() == 0) {
      return Optional.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(4 * ADDRESS.byteSize()); // Dl_info; file name first
      int found =
          (int)
              linker
                  .downcallHandle(dladdr.get(), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS))
                  .invokeExact(function, info);
      MemorySegment name = info.get(ADDRESS, 0);
      return found == 0 || name.address() == 0
          ? Optional.empty()
          : Optional.of(Path.of(name.reinterpret(Long.MAX_VALUE).getString(0)));
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}
