package dev.ocellus.tests.fuzz;

import dev.ocellus.pickle.PickleFile;
import dev.ocellus.tests.TinyPickle;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;

/** Reads all tensors of a PyTorch file. */
final class PickleTarget implements Target {
  private static final Map<String, long[]> TENSORS = new LinkedHashMap<>();

  static {
    TENSORS.put("layer.weight", new long[] {2, 3});
    TENSORS.put("layer.bias", new long[] {4});
    TENSORS.put("scale", new long[] {});
  }

  /** Instructions by themselves, and some with what follows them. */
  private static final List<String> WORDS =
      List.of(
          ".",
          "(",
          "0",
          "1",
          "2",
          "N",
          "\u0088",
          "\u0089",
          "]",
          "}",
          ")",
          "t",
          "l",
          "d",
          "\u008f",
          "\u0091",
          "\u0090",
          "\u0085",
          "\u0086",
          "\u0087",
          "a",
          "e",
          "s",
          "u",
          "R",
          "b",
          "Q",
          "\u0081",
          "\u0092",
          "\u0093",
          "\u0094",
          "q\u0000",
          "h\u0000",
          "h\u0001",
          "q\u0001",
          "K\u0001",
          "M\u00ff\u00ff",
          "I01\n",
          "L5L\n",
          "F1e9\n",
          "G\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000",
          "X\u0001\u0000\u0000\u0000a",
          "U\u0001a",
          "C\u0001a",
          "\u008c\u0001a",
          "p1\n",
          "g1\n",
          "\u0080\u0005",
          "\u0095\u0001\u0000\u0000\u0000\u0000\u0000\u0000\u0000",
          "ctorch\nSize\n",
          "ctorch\nFloatStorage\n",
          "ctorch\nuint16\n",
          "ctorch\nTensor\n",
          "ccollections\nOrderedDict\n",
          "c__builtin__\nset\n",
          "c_codecs\nencode\n",
          "cos\nsystem\n",
          "ctorch._utils\n_rebuild_tensor_v3\n",
          "ctorch._utils\n_rebuild_parameter\n",
          "ctorch._tensor\n_rebuild_from_type_v2\n",
          "ctorch.storage\nUntypedStorage\n");

  @Override
  public String name() {
    return "pickle";
  }

  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    String name = file.toString();
    return name.endsWith(".bin") || name.endsWith(".pt") || name.endsWith(".pth");
  }

  @Override
  public List<Path> bases(Path work) throws IOException {
    return List.of(
        Files.write(work.resolve("archive.bin"), TinyPickle.zip(TENSORS)),
        Files.write(work.resolve("legacy.pth"), TinyPickle.legacy(TENSORS)));
  }

  /** Changes the instructions of an archive, whose directory stays right. */
  @Override
  public boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    Map<String, byte[]> entries = unpacked(Files.readAllBytes(base));
    String pickle =
        entries.keySet().stream().filter(n -> n.endsWith("/data.pkl")).findFirst().orElse(null);
    if (pickle == null || random.nextInt(4) == 0) {
      return false; // anywhere
    }
    byte[] instructions = entries.getOrDefault(pickle, new byte[0]);
    for (int n = 1 + random.nextInt(4); n > 0 && instructions.length > 0; n--) {
      instructions = changed(instructions, random);
    }
    entries.put(pickle, instructions);
    Files.write(to, TinyPickle.zipped(entries));
    return true;
  }

  private static byte[] changed(byte[] old, SplittableRandom random) {
    int at = random.nextInt(old.length);
    int end = Math.min(old.length, at + random.nextInt(12));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    switch (random.nextInt(5)) {
      case 0 -> { // a number of four bytes
        byte[] copy = old.clone();
        if (at + 4 <= copy.length) {
          ByteBuffer numbers = ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN);
          numbers.putInt(at, (int) EdgeValues.integer(numbers.getInt(at), random));
        }
        return copy;
      }
      case 1 -> { // some instructions are missing
        out.write(old, 0, at);
        out.write(old, end, old.length - end);
      }
      case 2 -> { // some are there twice
        out.write(old, 0, end);
        out.write(old, at, old.length - at);
      }
      default -> { // others are there
        out.write(old, 0, at);
        out.writeBytes(EdgeValues.one(WORDS, random).getBytes(StandardCharsets.ISO_8859_1));
        int from = random.nextBoolean() ? at : Math.min(at + 1, old.length);
        out.write(old, from, old.length - from);
      }
    }
    return out.toByteArray();
  }

  /** The entries of an archive; none of what is no archive, or a damaged one. */
  private static Map<String, byte[]> unpacked(byte[] file) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(file))) {
      ZipEntry entry;
      while ((entry = zip.getNextEntry()) != null) {
        entries.put(entry.getName(), zip.readAllBytes());
      }
    } catch (ZipException e) { // PyTorch writes sizes behind entries, which this class cannot read
      entries.clear();
    }
    return entries;
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    try (PickleFile tensors = PickleFile.open(file)) {
      for (String name : tensors.names()) {
        tensors.type(name);
        tensors.stored(name);
        long count = 1;
        for (long size : tensors.shape(name)) {
          count *= size;
        }
        int n = (int) Math.min(count, 1000);
        tensors.read(name, 0, new float[n], 0, n);
        tensors.read(name, count - n, new float[n], 0, n);
      }
    }
  }
}
