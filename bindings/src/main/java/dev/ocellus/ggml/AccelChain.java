package dev.ocellus.ggml;

import static dev.ocellus.ggml.AccelNode.bytes;
import static dev.ocellus.ggml.AccelNode.dataOf;
import static dev.ocellus.ggml.AccelNode.ne;
import static dev.ocellus.ggml.AccelNode.parameter;
import static dev.ocellus.ggml.AccelNode.sourceOf;

import dev.ocellus.accel.ChannelPass;
import dev.ocellus.accel.Convolution;
import dev.ocellus.accel.Convolution.Size;
import dev.ocellus.accel.Doubling;
import dev.ocellus.accel.MapOperation;
import dev.ocellus.accel.Sum;
import dev.ocellus.ggml.AccelMaps.Kind;
import java.util.function.IntToLongFunction;
import org.jspecify.annotations.Nullable;

/**
 * Nodes of a graph that follow each other and are computed at once. Where one of them reads what
 * the last one would write over, the chain ends before, as the memory of what is not read any more
 * may be that of a later result.
 */
final class AccelChain {
  private final IntToLongFunction nodes;
  private final int end;
  private final int first;
  private int next;

  private AccelChain(IntToLongFunction nodes, int first, int end) {
    this.nodes = nodes;
    this.first = first;
    this.end = end;
    this.next = first;
  }

  /**
   * What is computed.
   *
   * @param nNodes how many nodes it is
   */
  record Step(MapOperation operation, int nNodes) {}

  /**
   * What the node at a place is, with those behind it that can be computed at once.
   *
   * @param end the number of nodes
   * @return null if it is no operation on maps
   */
  static @Nullable Step at(IntToLongFunction nodes, int place, int end) {
    AccelChain chain = new AccelChain(nodes, place, end);
    MapOperation operation = chain.operation();
    return operation == null ? null : new Step(operation, chain.next - chain.first);
  }

  private @Nullable MapOperation operation() {
    long node = nodes.applyAsLong(first);
    next = first + 1;
    return switch (AccelMaps.kindOf(node)) {
      case CONVOLUTION -> convolution(node, 0);
      case DOUBLING -> doubling(node);
      case GROUP_NORM -> norm(node);
      case SCALE -> pass(node, node, 0, dataOf(sourceOf(node, 1)), 0, false);
      case SHIFT, BIAS -> pass(node, node, 0, 0, dataOf(sourceOf(node, 1)), false);
      case SILU -> pass(node, node, 0, 0, 0, true);
      case SUM ->
          new Sum(
              dataOf(sourceOf(node, 0)),
              dataOf(sourceOf(node, 1)),
              dataOf(node),
              AccelNode.elements(node));
      case NONE -> null;
    };
  }

  /** The node behind, if it is of a kind, and the only one that reads the one before it. */
  private long following(long node, Kind kind) {
    if (next >= end || !AccelMaps.isOnlyForNext(node)) {
      return 0;
    }
    long candidate = nodes.applyAsLong(next);
    int place = kind == Kind.CONVOLUTION ? 1 : 0;
    return AccelNode.isWanted(candidate)
            && AccelMaps.kindOf(candidate) == kind
            && sourceOf(candidate, place) == node
        ? candidate
        : 0;
  }

  // ---- convolutions

  private MapOperation doubling(long node) {
    long map = sourceOf(node, 0);
    long convolution = following(node, Kind.CONVOLUTION);
    if (convolution != 0 && AccelMaps.takesDoubled(convolution) && isApart(convolution, map)) {
      next++;
      return convolution(convolution, map);
    }
    return new Doubling(
        dataOf(map), dataOf(node), (int) ne(map, 0), AccelNode.elements(map) / ne(map, 0));
  }

  /**
   * @param small the map before its pixels were doubled; 0 if they were not
   */
  private Convolution convolution(long node, long small) {
    long map = small == 0 ? sourceOf(node, 1) : small;
    long last = node;
    long bias = following(last, Kind.BIAS);
    if (bias != 0 && isApart(bias, map)) {
      last = bias;
      next++;
    } else {
      bias = 0;
    }
    long sum = following(last, Kind.SUM);
    if (sum != 0 && isApart(sum, map) && isApart(sum, sourceOf(sum, 1))) {
      last = sum;
      next++;
    } else {
      sum = 0;
    }
    return new Convolution(
        dataOf(map),
        dataOf(sourceOf(node, 0)),
        bias == 0 ? 0 : dataOf(sourceOf(bias, 1)),
        sum == 0 ? 0 : dataOf(sourceOf(sum, 1)),
        dataOf(last),
        size(map),
        size(node),
        ne(node, 0) * ne(node, 1),
        (int) ne(node, 3),
        AccelMaps.window(node),
        small != 0);
  }

  private static Size size(long map) {
    return new Size((int) ne(map, 0), (int) ne(map, 1), (int) ne(map, 2));
  }

  // ---- norms

  private MapOperation norm(long node) {
    long map = sourceOf(node, 0);
    long last = node;
    long scale = 0;
    long shift = 0;
    boolean silu = false;
    long found = following(last, Kind.SCALE);
    if (found != 0 && isInPlaceOrApart(found, map)) {
      next++;
      last = found;
      scale = dataOf(sourceOf(found, 1));
    }
    found = scale == 0 ? 0 : following(last, Kind.SHIFT);
    if (found != 0 && isInPlaceOrApart(found, map)) {
      next++;
      last = found;
      shift = dataOf(sourceOf(found, 1));
    }
    found = shift == 0 ? 0 : following(last, Kind.SILU);
    if (found != 0 && isInPlaceOrApart(found, map)) {
      next++;
      last = found;
      silu = true;
    }
    return pass(node, last, parameter(node, 0), scale, shift, silu);
  }

  private static ChannelPass pass(
      long node, long last, int groups, long scale, long shift, boolean silu) {
    return new ChannelPass(
        dataOf(sourceOf(node, 0)),
        dataOf(last),
        ne(node, 0) * ne(node, 1),
        (int) ne(node, 2),
        (int) ne(node, 3),
        groups,
        groups == 0 ? 0 : Float.intBitsToFloat(parameter(node, 1)),
        scale,
        shift,
        silu);
  }

  // ---- memory

  private static boolean isApart(long one, long other) {
    return dataOf(one) + bytes(one) <= dataOf(other) || dataOf(other) + bytes(other) <= dataOf(one);
  }

  private static boolean isInPlaceOrApart(long one, long other) {
    return dataOf(one) == dataOf(other) || isApart(one, other);
  }
}
