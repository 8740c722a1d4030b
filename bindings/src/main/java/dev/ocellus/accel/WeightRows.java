package dev.ocellus.accel;

/** Rows of weights as floats. */
record WeightRows(Conversions conversions) {
  /**
   * Rows of a product's weights as they lie, or widened.
   *
   * @param rows address of the first
   * @param target memory for them where they are not floats
   */
  long floats(Product p, long rows, int count, long target) throws Throwable {
    if (p.type() == WeightType.F32) {
      return rows;
    }
    RowConversion conversion = widening(p);
    if (p.w().row() == (long) p.type().bytes() * p.k()) {
      conversion.convert(rows, target, (long) count * p.k());
    } else {
      for (int i = 0; i < count; i++) {
        conversion.convert(rows + i * p.w().row(), target + 4L * i * p.k(), p.k());
      }
    }
    return target;
  }

  /**
   * Copies some numbers of a row of a product's only matrix of weights as floats.
   *
   * @param row its number
   * @param l number of the first
   */
  void floats(Product p, int row, int l, int count, long target) throws Throwable {
    long from = p.wAt(0) + row * p.w().row() + (long) l * p.type().bytes();
    if (p.type() == WeightType.F32) {
      NativeFloats.copy(from, target, count);
    } else {
      widening(p).convert(from, target, count);
    }
  }

  private RowConversion widening(Product p) {
    return p.type() == WeightType.F16 ? conversions.f16ToF32() : conversions.bf16ToF32();
  }

  /** Bytes of the memory that so many rows need. */
  static long bytes(Product p, int count) {
    return p.type() == WeightType.F32 ? 0 : 4L * count * p.k();
  }

  /** Floats from one row to the next. */
  static long distance(Product p) {
    return p.type() == WeightType.F32 ? p.w().row() / 4 : p.k();
  }
}
