package dev.ocellus.ggml;

import dev.ocellus.accel.Conversions;
import dev.ocellus.accel.ProductKernels;
import dev.ocellus.accel.ProductLibraries;
import dev.ocellus.compute.Accelerator;
import dev.ocellus.compute.Turns;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.nativelib.AcceleratorLibrary;
import dev.ocellus.nativelib.AcceleratorLoader;
import dev.ocellus.nativelib.NativeLibraries;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A device of ggml that computes large products of floats with the libraries of {@link
 * ProductLibraries}, for graphs of this project and, when it is registered, for libllama.
 *
 * <p>Libraries are loaded when somebody first asks for them, and one that cannot be used is told of
 * once.
 */
public final class Accel {
  private static final Logger LOG = System.getLogger("dev.ocellus.accel");
  private static final String PROPERTY = "ocellus.accel";
  private static final String VARIABLE = "OCELLUS_ACCEL";

  /** Numbers of a kernel such as 3 by 3 for 64 to 128 channels. */
  private static final long LARGE_KERNEL = 1L << 16;

  private static final String TOKEN_EMBEDDINGS = "token_embd.weight";

  /**
   * Those that could be made, by what was asked for; the others are empty. Guarded by the class.
   */
  private static final Map<ProductLibraries.Choice, Optional<Accel>> BY_CHOICE =
      new EnumMap<>(ProductLibraries.Choice.class);

  /** Loads its libraries when they are needed; guarded by the class. */
  private static @Nullable Accel longPrompts;

  private static final Set<String> TOLD = new LinkedHashSet<>();
  private static final Set<Accel> REGISTERED = new HashSet<>();

  /** What the thread that makes a context wants for it; null for nothing. */
  private static final ThreadLocal<@Nullable Accel> WANTED = new ThreadLocal<>();

  private final AccelDevice device;
  private final AccelDevice idle;
  private final AccelBackends backends;
  private final AccelLibraries libraries;
  private final boolean multipliesBf16;

  /**
   * What is in use, for showing.
   *
   * @param description which libraries multiply what; empty where ggml does
   * @param reasons why a library is not used
   */
  public record Status(Optional<String> description, List<String> reasons) {}

  private Accel(AccelLibraries libraries, String description, boolean multipliesBf16) {
    this.libraries = libraries;
    this.multipliesBf16 = multipliesBf16;
    this.backends = new AccelBackends(libraries, this::wanted);
    this.device = new AccelDevice(backends, description, true, multipliesBf16);
    this.idle = new AccelDevice(backends, "nothing", false, false);
  }

  private static Accel of(ProductKernels kernels, Conversions conversions) {
    return new Accel(
        AccelLibraries.of(new AccelLibraries.Loaded(kernels, conversions)),
        kernels.description(),
        kernels.bf16() != null);
  }

  /** libllama opens each device that is registered, and cannot be told to leave one out. */
  private AccelDevice wanted() {
    return this.equals(WANTED.get()) ? device : idle;
  }

  /**
   * The accelerator that is asked for, whose libraries are loaded if need be.
   *
   * @param bf16 whether there will be products that may be rounded to BF16, for which another
   *     library may have to be loaded
   * @return empty if it is turned off, or cannot be used
   * @throws IllegalArgumentException if the variable or the property names none
   */
  public static Optional<Accel> find(Accelerator asked, boolean bf16) {
    Accelerator accelerator = asked == Accelerator.AUTO ? ofEnvironment() : asked;
    if (accelerator == Accelerator.OFF) {
      return Optional.empty();
    }
    Ggml.initializeFully();
    synchronized (Accel.class) {
      ProductLibraries.Choice choice = choice(accelerator, bf16);
      Optional<Accel> known = BY_CHOICE.get(choice);
      if (known == null) {
        known = make(choice);
        BY_CHOICE.put(choice, known);
      }
      return known;
    }
  }

  private static ProductLibraries.Choice choice(Accelerator accelerator, boolean bf16) {
    return switch (accelerator) {
      case OPENBLAS -> ProductLibraries.Choice.OPENBLAS;
      case ONEDNN -> ProductLibraries.Choice.ONEDNN;
      default -> bf16 ? ProductLibraries.Choice.BEST : ProductLibraries.Choice.BEST_FOR_F32;
    };
  }

  /** As {@link #find(Accelerator, boolean)}, for products of every kind. */
  public static Optional<Accel> find(Accelerator asked) {
    return find(asked, true);
  }

  /** The accelerator for the weights of a file as they are stored; empty where it would idle. */
  public static Optional<Accel> find(Accelerator asked, GgufFile file) {
    boolean quantized = takesQuantized(file);
    boolean bf16 = file.tensors().stream().anyMatch(t -> t.type() == TensorType.BF16 && isLarge(t));
    return quantized || isWorthwhile(file) ? find(asked, quantized || bf16) : Optional.empty();
  }

  private static boolean takesQuantized(GgufFile file) {
    return StoredWeights.isWorthwhile() && file.tensors().stream().anyMatch(StoredWeights::isTaken);
  }

  /**
   * The same for a text model. Where nothing is taken but long prompts with quantized weights, the
   * libraries are loaded with the first of them: that takes 0.3 s, and many processes have none.
   */
  public static Optional<Accel> ofTextModel(Accelerator asked, GgufFile file) {
    Accelerator accelerator = asked == Accelerator.AUTO ? ofEnvironment() : asked;
    boolean onlyQuantized = !isWorthwhile(file) && takesQuantized(file);
    return accelerator == Accelerator.AUTO
            && onlyQuantized
            && AcceleratorLoader.isExpected(AcceleratorLibrary.ONEDNN)
        ? Optional.of(forLongPrompts())
        : find(asked, file);
  }

  private static Accel forLongPrompts() {
    synchronized (Accel.class) {
      Accel known = longPrompts;
      if (known == null) {
        Supplier<Optional<AccelLibraries.Loaded>> loader =
            () ->
                find(Accelerator.AUTO, true)
                    .filter(Accel::multipliesBf16)
                    .flatMap(accel -> accel.libraries.get());
        known = new Accel(AccelLibraries.later(loader), "products of long prompts", true);
        longPrompts = known;
      }
      return known;
    }
  }

  /** What {@link #find} gives by default, and why. */
  public static Status status() {
    if (ofEnvironment() == Accelerator.OFF) {
      return new Status(
          Optional.empty(), List.of("turned off by %s or %s".formatted(VARIABLE, PROPERTY)));
    }
    Optional<String> description = find(Accelerator.AUTO).map(Accel::description);
    synchronized (Accel.class) {
      return new Status(description, List.copyOf(TOLD));
    }
  }

  private static Accelerator ofEnvironment() {
    String value = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    if (value == null || value.isBlank()) {
      return Accelerator.AUTO;
    }
    for (Accelerator accelerator : Accelerator.values()) {
      if (accelerator.name().toLowerCase(Locale.ROOT).equals(value.strip())) {
        return accelerator;
      }
    }
    throw new IllegalArgumentException(
        "%s, or the property %s: expected auto, off, openblas or onednn, found '%s'"
            .formatted(VARIABLE, PROPERTY, value));
  }

  private static Optional<Accel> make(ProductLibraries.Choice choice) {
    return NativeStack.callOnOwnThread(() -> {
      Conversions conversions = AccelConversions.find();
      ProductLibraries.Usable usable = ProductLibraries.load(choice, conversions);
      tell(usable.problems(), usable.kernels().isPresent());
      return usable.kernels().map(kernels -> of(kernels, conversions));
    });
  }

  /** Says once what is not used, and why. */
  private static void tell(List<String> problems, boolean usable) {
    List<String> fresh = problems.stream().filter(TOLD::add).toList();
    if (!fresh.isEmpty()) {
      LOG.log(
          Level.WARNING,
          "not used for products of matrices: {0}. {1}",
          String.join("; ", fresh),
          usable ? "Others are." : "ggml computes all of them, more slowly.");
    }
  }

  /** The device for graphs of this project. */
  public Device device() {
    return Device.of(device.device());
  }

  /** A stream of computation with threads of its own. */
  public Backend newBackend(int nThreads) {
    return wanting(this, () -> new Backend(device(), nThreads));
  }

  /**
   * Lets what a stream computes give way between nodes.
   *
   * @param backend from {@link #newBackend}
   */
  public void takeTurns(Backend backend, Turns turns) {
    backends.takeTurns(backend.handle().address(), turns);
  }

  /** Runs what makes a context of libllama, which then uses this accelerator. */
  public static <T> T wanting(@Nullable Accel accel, Supplier<T> body) {
    Accel before = WANTED.get();
    WANTED.set(accel);
    try {
      return body.get();
    } finally {
      if (before == null) {
        WANTED.remove();
      } else {
        WANTED.set(before);
      }
    }
  }

  /** Lets ggml know the device, so that contexts of libllama can use it. For the whole process. */
  public void register() {
    synchronized (Accel.class) {
      if (REGISTERED.add(this)) {
        call(device.registry());
      }
    }
  }

  /** {@code ggml_backend_register}, which belongs to those who make backends. */
  private static void call(MemorySegment registry) {
    try {
      Linker.nativeLinker()
          .downcallHandle(
              NativeLibraries.symbols().find("ggml_backend_register").orElseThrow(),
              FunctionDescriptor.ofVoid(ValueLayout.ADDRESS))
          .invokeExact(registry);
    } catch (Throwable e) {
      throw new AssertionError("ggml_backend_register", e);
    }
  }

  /** Whether a file has a matrix that is large enough for some product to be taken. */
  public static boolean isWorthwhile(GgufFile file) {
    return file.tensors().stream().anyMatch(Accel::isLarge);
  }

  /** Whether most weights of a file are in such matrices. */
  public static boolean takesMost(GgufFile file) {
    long taken = 0;
    long others = 0;
    for (GgufTensor tensor : file.tensors()) {
      if (isLarge(tensor)) {
        taken += tensor.nElements();
      } else if (!tensor.name().equals(TOKEN_EMBEDDINGS)) {
        others += tensor.nElements();
      }
    }
    return taken > others;
  }

  private static boolean isLarge(GgufTensor tensor) {
    return isLargeKernel(tensor)
        || AccelNode.weightType(tensor.type().id()) != null && isLargeMatrix(tensor);
  }

  /** A convolution's, which goes over thousands of pixels. */
  private static boolean isLargeKernel(GgufTensor tensor) {
    return tensor.shape().size() == 4 && tensor.nElements() >= LARGE_KERNEL;
  }

  static boolean isLargeMatrix(GgufTensor tensor) {
    return tensor.shape().size() > 1
        && tensor.dim(1) > 1
        && tensor.nElements() * AccelNode.MIN_ROWS >= AccelNode.MIN_WORK
        && !tensor.name().equals(TOKEN_EMBEDDINGS); // rows of it are looked up
  }

  /**
   * Whether a product of items ({@link Tensor#ofItems}) is computed here, in F32 if that is asked
   * for.
   *
   * @param weight type of the matrix
   * @param nOut its rows
   * @param nIn its columns
   * @param rows of the activations of one item
   */
  public boolean takes(TensorType weight, long nOut, long nIn, long rows) {
    return AccelNode.isTakenByItem(AccelNode.weightType(weight.id()), nOut, nIn, rows, 1);
  }

  /** Whether products with so many tokens may be computed here when libllama asks. */
  public static boolean mayTake(int nTokens) {
    return nTokens >= AccelNode.MIN_ROWS;
  }

  /**
   * Whether small operations are handed over as well, so that tests with small models see the
   * libraries at work.
   */
  public static boolean takesEverything() {
    return AccelNode.EVERYTHING;
  }

  Conversions conversions() {
    return libraries.get().orElseThrow().conversions();
  }

  /** Whether some library multiplies BF16, or is expected to. */
  boolean multipliesBf16() {
    return multipliesBf16;
  }

  /** Which libraries multiply what. */
  public String description() {
    return libraries.get().map(loaded -> loaded.kernels().description()).orElse("nothing");
  }
}
