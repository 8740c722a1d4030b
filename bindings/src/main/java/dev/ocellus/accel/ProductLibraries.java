package dev.ocellus.accel;

import dev.ocellus.nativelib.AcceleratorLibrary;
import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraryException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The libraries of this process: loaded when first asked for, tried, never unloaded. One that
 * cannot be used is not tried again, and the reason is kept.
 */
public final class ProductLibraries {
  private static final Once<OpenBlas> OPENBLAS = new Once<>("OpenBLAS");
  private static final Once<OneDnn.Kernels> ONEDNN = new Once<>("oneDNN");

  /** Which libraries may be used. */
  public enum Choice {
    /** OpenBLAS for F32, oneDNN for BF16; either alone if the other cannot be used. */
    BEST,
    /** OpenBLAS; oneDNN only if that cannot be used. */
    BEST_FOR_F32,
    OPENBLAS,
    ONEDNN
  }

  /**
   * What can be used.
   *
   * @param kernels empty where nothing can
   * @param problems why a library that was wanted is not used
   */
  public record Usable(Optional<ProductKernels> kernels, List<String> problems) {}

  private ProductLibraries() {}

  /**
   * Loads what is wanted.
   *
   * @param conversions for trying the kernels
   */
  public static Usable load(Choice choice, Conversions conversions) {
    List<String> problems = new ArrayList<>();
    boolean mayBeMissing = choice == Choice.BEST || choice == Choice.BEST_FOR_F32;
    OpenBlas openBlas = null;
    if (choice != Choice.ONEDNN
        && (!mayBeMissing || AcceleratorLoader.isExpected(AcceleratorLibrary.OPENBLAS))) {
      openBlas =
          OPENBLAS.get(
              () -> {
                OpenBlas library = OpenBlas.load();
                SelfTest.check(new ProductKernels(library, null), conversions);
                return library;
              },
              problems);
    }
    OneDnn.Kernels oneDnn = null;
    boolean enough = openBlas != null && choice == Choice.BEST_FOR_F32;
    if (choice != Choice.OPENBLAS
        && !enough
        && (!mayBeMissing || AcceleratorLoader.isExpected(AcceleratorLibrary.ONEDNN))) {
      oneDnn =
          ONEDNN.get(
              () -> {
                OneDnn.Kernels library = OneDnn.load();
                SelfTest.check(new ProductKernels(library.f32(), library.bf16()), conversions);
                return library;
              },
              problems);
    }
    return new Usable(kernels(openBlas, oneDnn), List.copyOf(problems));
  }

  private static Optional<ProductKernels> kernels(
      @Nullable OpenBlas openBlas, OneDnn.@Nullable Kernels oneDnn) {
    OneDnn bf16 = oneDnn == null ? null : oneDnn.bf16();
    if (openBlas != null) {
      return Optional.of(new ProductKernels(openBlas, bf16));
    }
    return oneDnn == null ? Optional.empty() : Optional.of(new ProductKernels(oneDnn.f32(), bf16));
  }

  /** One library. */
  private static final class Once<T> {
    private final String name;
    private boolean tried;
    private @Nullable T library;
    private String problem = "";

    Once(String name) {
      this.name = name;
    }

    /** The library; why it cannot be used is added to {@code problems}. */
    synchronized @Nullable T get(Supplier<T> loader, List<String> problems) {
      if (!tried) {
        try {
          library = loader.get();
        } catch (NativeLibraryException | UnsatisfiedLinkError e) {
          problem = name + ": " + e.getMessage();
        }
        tried = true;
      }
      if (library == null) {
        problems.add(problem);
      }
      return library;
    }
  }
}
