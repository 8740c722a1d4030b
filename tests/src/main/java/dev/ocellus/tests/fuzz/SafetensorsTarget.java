package dev.ocellus.tests.fuzz;

import dev.ocellus.safetensors.SafetensorsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/** Reads all tensors of a safetensors file. */
final class SafetensorsTarget implements Target {
  private static final String HEADER =
      """
      {"__metadata__": {"format": "pt"}, \
      "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, \
      "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]}, \
      "c": {"dtype": "I64", "shape": [], "data_offsets": [32, 40]}, \
      "d": {"dtype": "F8_E4M3", "shape": [8, 1], "data_offsets": [40, 48]}, \
      "e": {"dtype": "U8", "shape": [0, 5], "data_offsets": [48, 48]}}\
      """;
  private static final int DATA = 48;

  @Override
  public String name() {
    return "safetensors";
  }

  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    return file.toString().endsWith(".safetensors");
  }

  @Override
  public List<Path> bases(Path work) throws IOException {
    return List.of(
        Files.write(
            work.resolve("small.safetensors"),
            file(HEADER.getBytes(StandardCharsets.UTF_8), new byte[DATA])));
  }

  private static byte[] file(byte[] header, byte[] data) {
    return ByteBuffer.allocate(8 + header.length + data.length)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .put(data)
        .array();
  }

  /** Changes the header as JSON, so that its length stays right. */
  @Override
  public boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    byte[] whole = Files.readAllBytes(base);
    long length = ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (random.nextInt(3) == 0 || length > whole.length - 8) {
      return false; // anywhere
    }
    byte[] header = Arrays.copyOfRange(whole, 8, 8 + (int) length);
    byte[] data = Arrays.copyOfRange(whole, 8 + (int) length, whole.length);
    Files.write(to, file(JsonMutator.mutate(header, random), data));
    return true;
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    try (SafetensorsFile tensors = SafetensorsFile.open(file)) {
      tensors.metadata();
      for (String name : tensors.names()) {
        tensors.shape(name);
        if (tensors.type(name).name().matches("B?F.*")) {
          tensors.floats(name);
        } else {
          tensors.longs(name);
        }
      }
    }
  }
}
