package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorSource;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.io.Memory;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;

/**
 * Adds tensors of seeded random values to a file. They are made piece by piece while they are
 * written, so a model of any size needs a few MiB of memory.
 *
 * <p>Values are drawn from N(0, 0.02), the initialization of GPT-2 and its descendants, which keeps
 * activations finite through any number of normalized layers.
 */
final class RandomTensors {
  private static final double DEVIATION = 0.02;
  private static final int TABLE = 1 << 16;
  private static final int PIECE_BYTES = 1 << 20;

  /** Values of one Q8_0 block, which share a scale. */
  private static final int Q8_BLOCK = 32;

  /** Q8_0 scale at which four deviations fill the range of a byte. */
  private static final float Q8_SCALE = (float) (4 * DEVIATION / 127);

  private final GgufWriter writer;
  private final TensorType matrixType;
  private final long seed;
  // drawing from a table is many times faster than drawing from the distribution
  private final float[] values = new float[TABLE];
  private final short[] halves = new short[TABLE];
  private final byte[] quants = new byte[TABLE];

  /**
   * @param matrixType element type of what {@link #matrix} adds: F32, F16 or Q8_0
   */
  RandomTensors(GgufWriter writer, TensorType matrixType, long seed) {
    if (matrixType != TensorType.F32
        && matrixType != TensorType.F16
        && matrixType != TensorType.Q8_0) {
      throw new IllegalArgumentException(
          "type: expected f32, f16 or q8_0, found " + matrixType.ggmlName());
    }
    this.writer = writer;
    this.matrixType = matrixType;
    this.seed = seed;
    var random = new Random(seed);
    for (int i = 0; i < TABLE; i++) {
      values[i] = (float) (DEVIATION * random.nextGaussian());
      halves[i] = Float.floatToFloat16(values[i]);
      quants[i] = (byte) Math.clamp(Math.round(values[i] / Q8_SCALE), -127, 127);
    }
  }

  /** Adds a matrix of the model's type. */
  void matrix(String name, long... shape) {
    add(name, matrixType, shape);
  }

  /** Adds a tensor that converters keep at F16 even when the matrices are smaller. */
  void table(String name, long... shape) {
    add(name, matrixType == TensorType.F32 ? TensorType.F32 : TensorType.F16, shape);
  }

  /** Adds an F32 vector, or what else converters keep in F32. */
  void vector(String name, long... shape) {
    add(name, TensorType.F32, shape);
  }

  /** Adds an F32 vector of ones, as the scale of a normalization starts. */
  void ones(String name, int n) {
    float[] ones = new float[n];
    Arrays.fill(ones, 1);
    writer.tensor(name, ones, n);
  }

  private void add(String name, TensorType type, long... shape) {
    long bytes = type.bytes(shape);
    // a tensor's values do not depend on which tensors were added before it
    TensorSource source = sink -> write(sink, type, bytes, seed * 31 + name.hashCode());
    writer.tensor(name, type, source, shape);
  }

  private void write(TensorSource.Sink sink, TensorType type, long bytes, long tensorSeed)
      throws java.io.IOException {
    var random = new SplittableRandom(tensorSeed);
    int piece = PIECE_BYTES / type.blockBytes() * type.blockBytes();
    ByteBuffer buffer = ByteBuffer.allocate(piece).order(ByteOrder.LITTLE_ENDIAN);
    for (long done = 0; done < bytes; done += buffer.limit()) {
      buffer.clear().limit((int) Math.min(piece, bytes - done));
      switch (type) {
        case F32 -> fillFloats(buffer, random);
        case F16 -> fillHalves(buffer, random);
        default -> fillQ8(buffer, random);
      }
      sink.write(new Memory(MemorySegment.ofBuffer(buffer.flip())));
    }
  }

  private void fillFloats(ByteBuffer buffer, SplittableRandom random) {
    while (buffer.hasRemaining()) {
      buffer.putFloat(values[random.nextInt() & (TABLE - 1)]);
    }
  }

  private void fillHalves(ByteBuffer buffer, SplittableRandom random) {
    while (buffer.hasRemaining()) {
      long bits = random.nextLong(); // four indices
      for (int i = 0; i < 4 && buffer.hasRemaining(); i++, bits >>>= 16) {
        buffer.putShort(halves[(int) bits & (TABLE - 1)]);
      }
    }
  }

  private void fillQ8(ByteBuffer buffer, SplittableRandom random) {
    short scale = Float.floatToFloat16(Q8_SCALE);
    while (buffer.hasRemaining()) {
      buffer.putShort(scale);
      for (int i = 0; i < Q8_BLOCK; i++) {
        buffer.put(quants[random.nextInt() & (TABLE - 1)]);
      }
    }
  }
}
