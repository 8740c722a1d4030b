package dev.ocellus.llama;

import dev.ocellus.compute.Accelerator;
import java.util.function.DoublePredicate;
import org.jspecify.annotations.Nullable;

/**
 * How a text model is loaded.
 *
 * @param nGpuLayers layers to keep on graphics processors; 0 for none, -1 for as many as there are.
 *     On a machine without one, -1 means 0 and a positive number is refused.
 * @param memoryMapped whether weights stay in the mapped file where the device allows it
 * @param repack whether weights may be copied into a layout that the processor multiplies faster
 * @param accelerator what multiplies large matrices of floats on a CPU, in the image encoder too
 * @param allowUnchecked whether architectures are let through that libllama knows, but whose code
 *     has not been gone through for what it ends the process on: for files that are trusted
 * @param progress told the share that is loaded, 0 to 1, on a thread of the library; loading stops
 *     when it answers false, and what it throws reaches who loads
 */
public record ModelOptions(
    int nGpuLayers,
    boolean memoryMapped,
    boolean repack,
    Accelerator accelerator,
    boolean allowUnchecked,
    @Nullable DoublePredicate progress) {

  /** Checked architectures only. */
  public ModelOptions(
      int nGpuLayers,
      boolean memoryMapped,
      boolean repack,
      Accelerator accelerator,
      @Nullable DoublePredicate progress) {
    this(nGpuLayers, memoryMapped, repack, accelerator, false, progress);
  }

  /** With whatever accelerator there is. */
  public ModelOptions(
      int nGpuLayers, boolean memoryMapped, boolean repack, @Nullable DoublePredicate progress) {
    this(nGpuLayers, memoryMapped, repack, Accelerator.AUTO, progress);
  }

  /** All layers on a graphics processor where there is one; mapped; repacked. */
  public static ModelOptions defaults() {
    return new ModelOptions(-1, true, true, null);
  }

  public ModelOptions withGpuLayers(int nGpuLayers) {
    return new ModelOptions(
        nGpuLayers, memoryMapped, repack, accelerator, allowUnchecked, progress);
  }

  public ModelOptions withProgress(DoublePredicate progress) {
    return new ModelOptions(
        nGpuLayers, memoryMapped, repack, accelerator, allowUnchecked, progress);
  }

  public ModelOptions withRepack(boolean value) {
    return new ModelOptions(nGpuLayers, memoryMapped, value, accelerator, allowUnchecked, progress);
  }

  public ModelOptions withAccelerator(Accelerator value) {
    return new ModelOptions(nGpuLayers, memoryMapped, repack, value, allowUnchecked, progress);
  }

  /** With architectures let through that have not been checked, for files that are trusted. */
  public ModelOptions withUncheckedArchitecture() {
    return new ModelOptions(nGpuLayers, memoryMapped, repack, accelerator, true, progress);
  }
}
