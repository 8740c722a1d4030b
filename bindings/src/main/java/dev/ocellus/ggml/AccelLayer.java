package dev.ocellus.ggml;

import static dev.ocellus.ggml.AccelNode.bytes;
import static dev.ocellus.ggml.AccelNode.dataOf;
import static dev.ocellus.ggml.AccelNode.ne;
import static dev.ocellus.ggml.AccelNode.numbered;
import static dev.ocellus.ggml.AccelNode.opOf;
import static dev.ocellus.ggml.AccelNode.parameter;
import static dev.ocellus.ggml.AccelNode.sourceOf;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.ocellus.accel.ChannelPass;
import dev.ocellus.accel.Convolution;
import dev.ocellus.accel.Convolution.Size;
import dev.ocellus.accel.Convolution.Window;
import dev.ocellus.accel.MapOperation;
import dev.ocellus.accel.NormedConvolution;
import dev.ocellus.accel.ResidualBlock;
import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.ggml_tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A {@link MapLayer}, or a {@link MapBlock} of two of them, as a node of ggml: of the operation
 * that programs define themselves, whose parameters are told apart by a number behind those that
 * ggml has.
 *
 * <p>Such a node is made only for graphs with an accelerator, which takes all of them. Should ggml
 * compute one all the same, what comes of it is no number, and is found out.
 */
final class AccelLayer {
  static final int CUSTOM = numbered("CUSTOM", ggml_h::ggml_op_name);

  /** "OCLY", in place 6 of the parameters; ggml's own are in front. */
  private static final int MARK = 0x4f434c59;

  static final int MARK_AT = 6;
  private static final int FORM = 7;
  private static final int HAS_ADDED = 8;
  private static final int FIRST = 9;

  /** Groups and eps of a norm, and flags. */
  private static final int PER_LAYER = 3;

  private static final int HAS_BIAS = 1;
  private static final int MAPPED_KERNEL = 2;

  /** What the form of a block says; others are those of its layer. */
  private static final int BLOCK = -1;

  /** Where ggml has how many threads are to call the function. */
  static final int TASKS_AT = 2;

  /** Smaller kernels are not worth the call. */
  private static final long MIN_RELEASED = 1L << 16;

  private AccelLayer() {}

  /**
   * Makes a node of a tensor that ggml has just made, of the result's shape.
   *
   * @param layers one, or the two of a block
   * @param added what is added; null for nothing
   */
  static void write(
      MemorySegment tensor, Tensor map, List<MapLayer> layers, @Nullable Tensor added) {
    MemorySegment header = tensor.reinterpret(ggml_tensor.sizeof());
    MemorySegment params = ggml_tensor.op_params(header);
    params.fill((byte) 0);
    params.set(JAVA_LONG_UNALIGNED, 0, Untaken.FUNCTION.address());
    params.setAtIndex(JAVA_INT, TASKS_AT, 1);
    params.setAtIndex(JAVA_INT, MARK_AT, MARK);
    params.setAtIndex(
        JAVA_INT, FORM, layers.size() > 1 ? BLOCK : layers.getFirst().form().ordinal());
    params.setAtIndex(JAVA_INT, HAS_ADDED, added == null ? 0 : 1);
    List<Tensor> sources = new ArrayList<>(List.of(map));
    for (int i = 0; i < layers.size(); i++) {
      write(params, FIRST + PER_LAYER * i, layers.get(i), sources);
    }
    if (added != null) {
      sources.add(added);
    }
    ggml_tensor.op(header, CUSTOM);
    for (int i = 0; i < sources.size(); i++) {
      ggml_tensor.src(header, i, sources.get(i).handle());
    }
  }

  private static void write(MemorySegment params, int at, MapLayer layer, List<Tensor> sources) {
    MapLayer.Norm norm = layer.norm();
    Tensor bias = layer.bias();
    sources.add(layer.kernel());
    if (bias != null) {
      sources.add(bias);
    }
    if (norm != null) {
      sources.add(norm.scale());
      sources.add(norm.shift());
    }
    boolean mapped = layer.kernel().context.isMapped();
    params.setAtIndex(JAVA_INT, at, norm == null ? 0 : norm.groups());
    params.setAtIndex(JAVA_FLOAT, at + 1, norm == null ? 0 : norm.eps());
    params.setAtIndex(
        JAVA_INT, at + 2, (bias == null ? 0 : HAS_BIAS) | (mapped ? MAPPED_KERNEL : 0));
  }

  static boolean isOne(long node) {
    return opOf(node) == CUSTOM && parameter(node, MARK_AT) == MARK;
  }

  private static int nLayers(long node) {
    return parameter(node, FORM) == BLOCK ? 2 : 1;
  }

  /** Reads the layers of a node one after the other. */
  private static final class Reader {
    private final long node;
    private final int batch;
    private int layer;
    private int source = 1;

    Reader(long node) {
      this.node = node;
      batch = (int) ne(node, 3);
    }

    /** The next layer's. */
    private int parameter(int i) {
      return AccelNode.parameter(node, FIRST + PER_LAYER * layer + i);
    }

    private long next() {
      return sourceOf(node, source++);
    }

    /**
     * The next layer.
     *
     * @param map address of what it is computed of; 0 for what the layer before gives
     */
    NormedConvolution read(
        long map, Size from, Size to, long target, Window window, boolean doubled, boolean last) {
      long kernel = next();
      long bias = (parameter(2) & HAS_BIAS) != 0 ? dataOf(next()) : 0;
      int groups = parameter(0);
      long scale = groups > 0 ? dataOf(next()) : 0;
      long shift = groups > 0 ? dataOf(next()) : 0;
      float eps = Float.intBitsToFloat(parameter(1));
      boolean adds = last && AccelNode.parameter(node, HAS_ADDED) != 0;
      long added = adds ? dataOf(next()) : 0;
      layer++;
      long pixels = (long) from.width() * from.height();
      return new NormedConvolution(
          new ChannelPass(map, 0, pixels, from.channels(), batch, groups, eps, scale, shift, true),
          new Convolution(
              map,
              dataOf(kernel),
              bias,
              added,
              target,
              from,
              to,
              (long) to.width() * to.height(),
              batch,
              window,
              doubled));
    }
  }

  /** What is computed. */
  static MapOperation operation(long node) {
    long map = sourceOf(node, 0);
    Size from = size(map);
    Size to = size(node);
    Reader reader = new Reader(node);
    Window same = new Window(3, 3, 1, 1, 1, 1, 1, 1);
    if (nLayers(node) == 2) {
      NormedConvolution first = reader.read(dataOf(map), from, to, 0, same, false, false);
      NormedConvolution second = reader.read(0, to, to, dataOf(node), same, false, true);
      return new ResidualBlock(
          first.norm(), first.convolution(), second.norm(), second.convolution());
    }
    MapLayer.Form form = MapLayer.Form.values()[parameter(node, FORM)];
    Window window = form == MapLayer.Form.HALVED ? new Window(3, 3, 2, 2, 0, 0, 1, 1) : same;
    boolean doubled = form == MapLayer.Form.DOUBLED;
    NormedConvolution layer =
        reader.read(dataOf(map), from, to, dataOf(node), window, doubled, true);
    return layer.norm().groups() == 0 ? layer.convolution() : layer;
  }

  private static Size size(long map) {
    return new Size((int) ne(map, 0), (int) ne(map, 1), (int) ne(map, 2));
  }

  /**
   * Gives back the pages of kernels that lie in a file: each is used once in a graph, so that not
   * all of them need be held at a time.
   */
  static void release(long node) {
    int source = 1;
    for (int i = 0; i < nLayers(node); i++) {
      int at = FIRST + PER_LAYER * i;
      int flags = parameter(node, at + 2);
      long kernel = sourceOf(node, source);
      if ((flags & MAPPED_KERNEL) != 0 && bytes(kernel) >= MIN_RELEASED) {
        FilePages.release(dataOf(kernel), bytes(kernel));
      }
      source += 1 + (flags & HAS_BIAS) + (parameter(node, at) > 0 ? 2 : 0);
    }
  }

  /** Apart, as asking about a node must make nothing. */
  static final class Untaken {
    static final MemorySegment FUNCTION =
        Upcalls.stub((node, thread, nThreads) -> fill(node), Arena.global());
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /**
     * What ggml calls, from one thread, for a node that no accelerator took; an address of 0 is a
     * trial. Of what else is passed nothing is needed.
     */
    private static long fill(long node) {
      try {
        long n = node == 0 ? 0 : AccelNode.elements(node);
        for (long i = 0; i < n; i++) {
          MEMORY.set(JAVA_FLOAT, dataOf(node) + 4 * i, Float.NaN);
        }
      } catch (Throwable e) { // nothing may be thrown here; the result is as it was
        return 0;
      }
      return 0;
    }
  }
}
