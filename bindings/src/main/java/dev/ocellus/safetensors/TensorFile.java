package dev.ocellus.safetensors;

import dev.ocellus.io.Memory;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A file of named tensors, memory-mapped: what conversion knows of checkpoints in any format.
 *
 * <p>Shapes are outermost first. Methods that take a name throw an {@link
 * dev.ocellus.OcellusException} if there is no such tensor.
 */
public interface TensorFile extends AutoCloseable {
  /** The file. */
  Path path();

  /** Names of all tensors in the order of the file. */
  Set<String> names();

  /** Whether there is a tensor of this name. */
  boolean contains(String name);

  /** Shape, outermost first; empty for a scalar. */
  List<Long> shape(String name);

  /** Element type. */
  SafetensorsType type(String name);

  /**
   * Reads some elements in C order, widened or rounded to float; BOOL as 0 and 1.
   *
   * @param first index of the first element
   * @throws IndexOutOfBoundsException if the elements are not all in the tensor and the array
   */
  void read(String name, long first, float[] out, int offset, int count);

  /**
   * The bytes of a tensor in the file, read-only, usable while it is open; empty if they do not lie
   * there in C order and little-endian.
   */
  Optional<Memory> stored(String name);

  /** Unmaps the file. Closing twice is allowed. */
  @Override
  void close();
}
