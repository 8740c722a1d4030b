package dev.ocellus.ggml;

import dev.ocellus.accel.PackedWeights;
import dev.ocellus.accel.Product.Matrices;
import dev.ocellus.accel.RowConversion;
import dev.ocellus.accel.WeightType;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Holds the weights of a GGUF file on a device.
 *
 * <p>On the CPU a weight stays where the file is mapped and is never copied. On other devices, and
 * for the small tensors that are widened to F32, there is one buffer that {@link #load()} fills. So
 * an architecture binds first (by {@link #weights()}), and the data moves once, afterwards.
 */
public final class WeightStore extends NativeObject {
  /** ggml's CPU kernels want tensor data on such an address. */
  private static final int ALIGNMENT = 32;

  private record Binding(Tensor tensor, boolean widened) {}

  private final GgufFile file;
  private final Backend backend;
  private final MatrixPrecision precision;
  private final @Nullable Accel accel;
  private final TensorContext mapped;
  private final TensorContext owned;
  private final Map<Path, MemorySegment> mappedBuffers = new HashMap<>();
  private final Map<String, Binding> bindings = new HashMap<>();
  private final Map<Tensor, PendingData> pending = new LinkedHashMap<>();
  private final boolean inFile;
  private @Nullable PackedWeights packed;
  private boolean loaded;
  private long mappedBytes;

  /**
   * @param file stays the caller's and must outlive the store
   * @param backend where the weights are to be used
   */
  public WeightStore(GgufFile file, Backend backend) {
    this(file, backend, MatrixPrecision.STORED);
  }

  /**
   * @param file stays the caller's and must outlive the store
   * @param backend where the weights are to be used
   * @param precision how matrices are multiplied with
   */
  public WeightStore(GgufFile file, Backend backend, MatrixPrecision precision) {
    this(file, backend, precision, null, false);
  }

  /**
   * @param file stays the caller's and must outlive the store
   * @param backend where the weights are to be used
   * @param precision how matrices are multiplied with
   * @param accel what takes large products in graphs with these weights; null for nothing
   * @param inFile whether matrices that are to be rounded to BF16 stay where the file is mapped,
   *     and are converted while they are multiplied, if {@code accel} can do that
   */
  public WeightStore(
      GgufFile file,
      Backend backend,
      MatrixPrecision precision,
      @Nullable Accel accel,
      boolean inFile) {
    this.file = file;
    this.backend = backend;
    this.precision = precision;
    this.accel = accel;
    this.inFile = inFile && accel != null && accel.multipliesBf16();
    this.mapped = new TensorContext(true);
    this.owned = new TensorContext();
  }

  /** All weights, by full name. */
  public Weights weights() {
    return new Weights(this, "");
  }

  GgufFile file() {
    return file;
  }

  /** Bytes that are used where the file is mapped. */
  public long mappedBytes() {
    return mappedBytes;
  }

  boolean onCpu() {
    return backend.device().kind() == Device.Kind.CPU;
  }

  GgufTensor require(String name) {
    return file.findTensor(name)
        .orElseThrow(() ->
            new MissingWeightException(
                "%s: no tensor %s, which this architecture needs. The file is incomplete, or of another architecture than its metadata say."
                    .formatted(file.path(), name)));
  }

  Tensor bind(String name, boolean widen, long... shape) {
    GgufTensor source = checked(name, shape);
    boolean widened = widen && source.type() != TensorType.F32;
    Binding known = bindings.get(name);
    if (known != null && known.widened() == widened) {
      return known.tensor();
    }
    requireNotLoaded(name);
    Tensor tensor = place(source, widened, sizes(source));
    bindings.put(name, new Binding(tensor, widened));
    return tensor;
  }

  Tensor bindReshaped(String name, long[] stored, long... as) {
    GgufTensor source = checked(name, stored);
    requireNotLoaded(name);
    requireElements(source, as);
    Tensor tensor = place(source, source.type() != TensorType.F32, as);
    bindings.put(name, new Binding(tensor, true));
    return tensor;
  }

  Tensor bindSum(String first, String second, long[] stored, long... as) {
    GgufTensor source = checked(first, stored);
    GgufTensor other = checked(second, stored);
    Tensor tensor = reshaped(source, as);
    pending.put(tensor, new PendingData.Sum(source, other));
    bindings.put(first, new Binding(tensor, true));
    bindings.put(second, new Binding(tensor, true));
    return tensor;
  }

  Tensor bindComputed(String name, long[] stored, UnaryOperator<float[]> change, long... as) {
    GgufTensor source = checked(name, stored);
    Tensor tensor = reshaped(source, as);
    pending.put(tensor, new PendingData.Changed(source, change));
    bindings.put(name, new Binding(tensor, true));
    return tensor;
  }

  private Tensor reshaped(GgufTensor source, long... as) {
    requireNotLoaded(source.name());
    requireElements(source, as);
    return owned.newTensor(shortened(source.name()), TensorType.F32, as);
  }

  private static void requireElements(GgufTensor source, long... as) {
    long needed = Arrays.stream(as).reduce(1, Math::multiplyExact);
    if (needed != source.nElements()) {
      throw new IllegalArgumentException(
          "%s has %d elements, %s needs %d"
              .formatted(source.name(), source.nElements(), Arrays.toString(as), needed));
    }
  }

  /** The stored tensor, if it is there and as expected. */
  private GgufTensor checked(String name, long[] shape) {
    requireOpen();
    GgufTensor source = require(name);
    if (!Arrays.equals(trimmed(shape), trimmed(source.shape()))) {
      throw new WeightShapeException(
          "%s: %s: expected %s, found %s"
              .formatted(
                  file.path(), name, Arrays.toString(trimmed(shape)), source.shape().toString()));
    }
    if (!RowCodec.canDecode(source.type())) {
      throw new WeightShapeException(
          "%s: %s is of type %s, with which nothing can be computed"
              .formatted(file.path(), name, source.type().ggmlName()));
    }
    return source;
  }

  private void requireNotLoaded(String name) {
    if (loaded) {
      throw new IllegalStateException(name + " is asked for after the weights were loaded");
    }
  }

  boolean hasAccelerator() {
    return accel != null && onCpu();
  }

  boolean accelerates(TensorType type, long nOut, long nIn, long rows) {
    return accel != null && hasAccelerator() && accel.takes(type, nOut, nIn, rows);
  }

  boolean widensMatrices() {
    return precision == MatrixPrecision.EXACT && onCpu();
  }

  boolean roundsToBf16() {
    return onCpu() && MatrixTypes.roundsToBf16(precision, backend.device());
  }

  Tensor bindMatrix(String name, long nIn, long nOut) {
    GgufTensor source = checked(name, new long[] {nIn, nOut});
    TensorType type = onCpu() ? MatrixTypes.of(source, precision, backend.device()) : source.type();
    if (accel != null
        && inFile
        && type == TensorType.BF16
        && source.type().isHalf()
        && isInPlace(source)) {
      Tensor tensor = bind(name, false, nIn, nOut);
      RowConversion toF32 =
          source.type() == TensorType.BF16 ? null : accel.conversions().f16ToF32();
      FileMatrix.of(this, source, toF32).knownAs(tensor.handle().address());
      return tensor;
    }
    if (type == source.type() || bindings.containsKey(name)) {
      return bind(name, false, nIn, nOut);
    }
    requireNotLoaded(name);
    Tensor tensor = owned.newTensor(shortened(name), type, nIn, nOut);
    pending.put(tensor, new PendingData.Converted(source));
    bindings.put(name, new Binding(tensor, false));
    return tensor;
  }

  private static long[] sizes(GgufTensor source) {
    return source.shape().stream().mapToLong(Long::longValue).toArray();
  }

  /** A tensor where the file is mapped, if it can be used there, else in memory of the store. */
  private Tensor place(GgufTensor source, boolean widened, long... shape) {
    if (!widened && isInPlace(source)) {
      Tensor tensor = mapped.newTensor(shortened(source.name()), source.type(), shape);
      ggml_h.ggml_backend_tensor_alloc(
          mappedBuffer(source), tensor.handle(), source.data().segment());
      mappedBytes += source.byteSize();
      return tensor;
    }
    Tensor tensor =
        owned.newTensor(shortened(source.name()), widened ? TensorType.F32 : source.type(), shape);
    pending.put(tensor, new PendingData.Stored(source));
    return tensor;
  }

  /** Whether a tensor can be computed with where the file is mapped. */
  private boolean isInPlace(GgufTensor source) {
    return onCpu() && source.data().segment().address() % ALIGNMENT == 0;
  }

  /** ggml's view of the part of a mapped file that holds tensors. */
  private MemorySegment mappedBuffer(GgufTensor any) {
    return mappedBuffers.computeIfAbsent(
        any.file(),
        path -> {
          MemorySegment tensors = tensorsIn(path);
          MemorySegment buffer =
              adopt(
                  ggml_h.ggml_backend_dev_buffer_from_host_ptr(
                      backend.device().handle(), tensors, tensors.byteSize(), tensors.byteSize()),
                  ggml_h::ggml_backend_buffer_free);
          ggml_h.ggml_backend_buffer_set_usage(buffer, ggml_h.GGML_BACKEND_BUFFER_USAGE_WEIGHTS());
          return buffer;
        });
  }

  /** The part of a mapped file that holds tensors. */
  private MemorySegment tensorsIn(Path path) {
    long first = Long.MAX_VALUE;
    long end = 0;
    for (GgufTensor t : file.tensors()) {
      if (t.file().equals(path)) {
        first = Math.min(first, t.data().segment().address());
        end = Math.max(end, t.data().segment().address() + t.byteSize());
      }
    }
    long base = first / ALIGNMENT * ALIGNMENT; // within the mapping, which starts on a page
    return MemorySegment.ofAddress(base).reinterpret(end - base);
  }

  /**
   * Gives back the pages of files that were read by computing with weights where they are mapped.
   * The system's cache keeps them, so that the next computation finds them there.
   */
  public void releasePages() {
    for (Path path : mappedBuffers.keySet()) {
      MemorySegment tensors = tensorsIn(path);
      FilePages.release(tensors.address(), tensors.byteSize());
    }
  }

  /**
   * A table that is computed once from the configuration, such as rotary positions, and lives
   * beside the weights.
   */
  public Tensor constant(String name, float[] values, long... shape) {
    requireOpen();
    requireNotLoaded(name);
    Tensor tensor = owned.newTensor(name, TensorType.F32, shape);
    if (tensor.nElements() != values.length) {
      throw new IllegalArgumentException(
          "%s: %d values for %s".formatted(name, values.length, tensor.describe()));
    }
    pending.put(tensor, new PendingData.Computed(values));
    return tensor;
  }

  /**
   * Brings everything that was bound to the device. Nothing can be bound afterwards.
   *
   * @throws OutOfDeviceMemoryException if the device has too little free memory
   */
  public void load() {
    requireOpen();
    if (loaded) {
      return;
    }
    for (MemorySegment context : owned.handles()) {
      MemorySegment buffer =
          NativeStack.call(() -> ggml_h.ggml_backend_alloc_ctx_tensors(context, backend.handle()));
      if (buffer.address() == 0) {
        throw new OutOfDeviceMemoryException(
            "%s: %s has no room for %d MiB of weights (%d MiB are free). Free memory, use a smaller quantization or another device."
                .formatted(
                    file.path(),
                    backend.device(),
                    pendingBytes() >> 20,
                    backend.device().freeMemory() >> 20));
      }
      adopt(buffer, ggml_h::ggml_backend_buffer_free);
      ggml_h.ggml_backend_buffer_set_usage(buffer, ggml_h.GGML_BACKEND_BUFFER_USAGE_WEIGHTS());
    }
    pending.forEach((tensor, data) -> data.bringTo(tensor));
    pending.clear();
    loaded = true;
  }

  private long pendingBytes() {
    return pending.keySet().stream().mapToLong(t -> t.type().bytes(t.shape())).sum();
  }

  /**
   * Lets products with many rows have matrices in the order in which their kernel reads them, in
   * memory besides; what is mapped of the file is given back then.
   */
  public void packWhenUsed() {
    requireOpen();
    if (packed == null && hasAccelerator()) {
      packed = new PackedWeights();
      bindings.forEach((name, binding) -> addTo(packed, name, binding.tensor()));
    }
  }

  private void addTo(PackedWeights weights, String name, Tensor tensor) {
    WeightType type = AccelNode.weightType(tensor.type().id());
    long[] shape = trimmed(tensor.shape());
    if (type != null && shape.length == 2) {
      long address = AccelNode.dataOf(tensor.handle().address());
      long bytes = tensor.type().bytes(tensor.shape());
      boolean inFile = address == require(name).data().segment().address();
      weights.add(
          type,
          Matrices.one(address, tensor.type().rowBytes(shape[0])),
          Math.toIntExact(shape[1]),
          Math.toIntExact(shape[0]),
          inFile ? () -> FilePages.release(address, bytes) : () -> {});
    }
  }

  static long[] trimmed(List<Long> shape) {
    return trimmed(shape.stream().mapToLong(Long::longValue).toArray());
  }

  private static long[] trimmed(long[] shape) {
    int n = shape.length;
    while (n > 1 && shape[n - 1] == 1) {
      n--;
    }
    return Arrays.copyOf(shape, n);
  }

  /** Tensor headers hold 63 bytes of name, as GGUF names do. */
  private static String shortened(String name) {
    return name.length() > 60 ? name.substring(name.length() - 60) : name;
  }

  /** Names of all tensors of the file that nothing has asked for. */
  public List<String> unused() {
    List<String> names = new ArrayList<>();
    for (GgufTensor t : file.tensors()) {
      if (!bindings.containsKey(t.name())) {
        names.add(t.name());
      }
    }
    return names;
  }

  @Override
  protected void beforeClose() {
    FileMatrix.forget(this);
    if (packed != null) {
      packed.close();
    }
    mapped.close();
    owned.close();
  }
}
