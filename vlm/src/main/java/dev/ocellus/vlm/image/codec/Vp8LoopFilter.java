package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.Samples;

/** Smoothing across the edges of macroblocks and of their 4x4 blocks (RFC 6386, section 15). */
final class Vp8LoopFilter {
  private final boolean simple;
  private final int sharpness;
  private final int columns;
  private final int rows;

  /** Of every macroblock, its level (0: not filtered) and whether its inner edges are filtered. */
  private final byte[] levels;

  private final boolean[] inner;

  Vp8LoopFilter(Vp8Header header, int columns, int rows) {
    this.simple = header.simpleFilter;
    this.sharpness = header.sharpness;
    this.columns = columns;
    this.rows = rows;
    this.levels = new byte[columns * rows];
    this.inner = new boolean[columns * rows];
  }

  /** Notes how a macroblock is to be filtered. */
  void note(int column, int row, int level, boolean filtersInner) {
    levels[row * columns + column] = (byte) level;
    inner[row * columns + column] = filtersInner;
  }

  /** Filters a whole frame, macroblock after macroblock. */
  void apply(Vp8Plane y, Vp8Plane u, Vp8Plane v) {
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        int level = levels[row * columns + column];
        if (level > 0) {
          boolean filtersInner = inner[row * columns + column];
          filterMacroblock(y, 16, column, row, level, filtersInner);
          if (!simple) {
            filterMacroblock(u, 8, column, row, level, filtersInner);
            filterMacroblock(v, 8, column, row, level, filtersInner);
          }
        }
      }
    }
  }

  private void filterMacroblock(
      Vp8Plane plane, int size, int column, int row, int level, boolean filtersInner) {
    int interior = interiorLimit(level);
    int hevThreshold = level >= 40 ? 2 : level >= 15 ? 1 : 0;
    int innerLimit = 2 * (2 * level + interior) + 1;
    int outerLimit = innerLimit + 8;
    int at = plane.at(column * size, row * size);
    Edge edge = new Edge(plane.data, size, interior, hevThreshold);
    if (column > 0) {
      edge.filter(at, 1, plane.stride, outerLimit, true);
    }
    for (int i = 4; filtersInner && i < size; i += 4) {
      edge.filter(at + i, 1, plane.stride, innerLimit, false);
    }
    if (row > 0) {
      edge.filter(at, plane.stride, 1, outerLimit, true);
    }
    for (int i = 4; filtersInner && i < size; i += 4) {
      edge.filter(at + i * plane.stride, plane.stride, 1, innerLimit, false);
    }
  }

  private int interiorLimit(int level) {
    int limit = level;
    if (sharpness > 0) {
      limit = Math.min(limit >> (sharpness > 4 ? 2 : 1), 9 - sharpness);
    }
    return Math.max(1, limit);
  }

  /** The edges of one macroblock in one plane, with its thresholds. */
  private final class Edge {
    private final byte[] data;
    private final int length;
    private final int interior;
    private final int hevThreshold;

    Edge(byte[] data, int length, int interior, int hevThreshold) {
      this.data = data;
      this.length = length;
      this.interior = interior;
      this.hevThreshold = hevThreshold;
    }

    /**
     * Filters an edge that begins before sample {@code at}.
     *
     * @param across distance between samples across the edge, and {@code along} along it
     */
    void filter(int at, int across, int along, int limit, boolean betweenMacroblocks) {
      for (int i = 0; i < length; i++, at += along) {
        int p1 = data[at - 2 * across] & 0xFF;
        int p0 = data[at - across] & 0xFF;
        int q0 = data[at] & 0xFF;
        int q1 = data[at + across] & 0xFF;
        if (4 * Math.abs(p0 - q0) + Math.abs(p1 - q1) > limit) {
          continue;
        }
        if (simple) {
          filterTwo(at, across, p1, p0, q0, q1);
        } else if (isSmooth(at, across, p1, p0, q0, q1)) {
          if (Math.abs(p1 - p0) > hevThreshold || Math.abs(q1 - q0) > hevThreshold) {
            filterTwo(at, across, p1, p0, q0, q1);
          } else if (betweenMacroblocks) {
            filterSix(at, across, p1, p0, q0, q1);
          } else {
            filterFour(at, across, p1, p0, q0, q1);
          }
        }
      }
    }

    private boolean isSmooth(int at, int across, int p1, int p0, int q0, int q1) {
      int p3 = data[at - 4 * across] & 0xFF;
      int p2 = data[at - 3 * across] & 0xFF;
      int q2 = data[at + 2 * across] & 0xFF;
      int q3 = data[at + 3 * across] & 0xFF;
      return Math.abs(p3 - p2) <= interior
          && Math.abs(p2 - p1) <= interior
          && Math.abs(p1 - p0) <= interior
          && Math.abs(q3 - q2) <= interior
          && Math.abs(q2 - q1) <= interior
          && Math.abs(q1 - q0) <= interior;
    }

    private void filterTwo(int at, int across, int p1, int p0, int q0, int q1) {
      int a = 3 * (q0 - p0) + Math.clamp(p1 - q1, -128, 127);
      put(at - across, p0 + Math.clamp((a + 3) >> 3, -16, 15));
      put(at, q0 - Math.clamp((a + 4) >> 3, -16, 15));
    }

    private void filterFour(int at, int across, int p1, int p0, int q0, int q1) {
      int a = 3 * (q0 - p0);
      int near = Math.clamp((a + 4) >> 3, -16, 15);
      int far = (near + 1) >> 1;
      put(at - 2 * across, p1 + far);
      put(at - across, p0 + Math.clamp((a + 3) >> 3, -16, 15));
      put(at, q0 - near);
      put(at + across, q1 - far);
    }

    private void filterSix(int at, int across, int p1, int p0, int q0, int q1) {
      int a = Math.clamp(3 * (q0 - p0) + Math.clamp(p1 - q1, -128, 127), -128, 127);
      int near = (27 * a + 63) >> 7;
      int middle = (18 * a + 63) >> 7;
      int far = (9 * a + 63) >> 7;
      put(at - 3 * across, (data[at - 3 * across] & 0xFF) + far);
      put(at - 2 * across, p1 + middle);
      put(at - across, p0 + near);
      put(at, q0 - near);
      put(at + across, q1 - middle);
      put(at + 2 * across, (data[at + 2 * across] & 0xFF) - far);
    }

    private void put(int at, int value) {
      data[at] = Samples.clip(value);
    }
  }
}
