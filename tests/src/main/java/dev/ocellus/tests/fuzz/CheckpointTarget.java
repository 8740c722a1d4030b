package dev.ocellus.tests.fuzz;

import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.cache.CheckpointCache;
import dev.ocellus.tests.TinyCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * Damages what a checkpoint was converted to: it is made again with the same bytes, or refused with
 * a reason, and never used as it is.
 */
final class CheckpointTarget extends GeneratedTarget {
  @Override
  public String name() {
    return "checkpoint";
  }

  @Override
  void run(SplittableRandom random, Path folder) throws Exception {
    Path checkpoint = Files.createDirectory(folder.resolve("model"));
    String kind = EdgeValues.one(TinyCheckpoint.KINDS, random);
    Path packed = TinyCheckpoint.write(folder.resolve("packed"), kind);
    for (Map.Entry<String, byte[]> e : ConvertTarget.unpack(packed).entrySet()) {
      Files.write(checkpoint.resolve(e.getKey()), e.getValue());
    }
    var cache = new CheckpointCache(folder.resolve("cache"));
    var first = cache.convert(checkpoint, true, ConvertProgress.NONE);
    byte[] text = Files.readAllBytes(first.text());
    byte[] mmproj = first.mmproj() == null ? new byte[0] : Files.readAllBytes(first.mmproj());
    for (int n = random.nextInt(1, 4); n > 0; n--) {
      damage(files(folder.resolve("cache")), folder, random);
    }
    var again = cache.convert(checkpoint, true, ConvertProgress.NONE);
    require(Arrays.equals(text, Files.readAllBytes(again.text())), "another text model");
    require(
        Arrays.equals(
            mmproj, again.mmproj() == null ? new byte[0] : Files.readAllBytes(again.mmproj())),
        "another image encoder");
  }

  private static List<Path> files(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      return files.filter(f -> Files.isRegularFile(f, LinkOption.NOFOLLOW_LINKS)).sorted().toList();
    }
  }

  private static void damage(List<Path> files, Path folder, SplittableRandom random)
      throws IOException {
    if (files.isEmpty()) {
      return;
    }
    Path file = EdgeValues.one(files, random);
    byte[] whole = Files.readAllBytes(file);
    switch (random.nextInt(8)) {
      case 0 -> Files.delete(file);
      case 1 -> Files.write(file, new byte[0]);
      case 2 -> Files.write(file, Arrays.copyOf(whole, random.nextInt(whole.length + 1)));
      case 3 -> Files.write(file, whole.length == 0 ? OTHER : ByteMutator.mutate(whole, random));
      case 4 -> { // another file's content
        Files.write(file, Files.readAllBytes(EdgeValues.one(files, random)));
      }
      case 5 -> {
        Files.delete(file);
        Files.createDirectory(file);
      }
      case 6 -> { // a link to the right content
        Path elsewhere = Files.createTempFile(folder, "moved", "");
        Files.write(elsewhere, whole);
        Files.delete(file);
        Files.createSymbolicLink(file, elsewhere);
      }
      default -> { // somebody else's temporary file
        Files.write(file.resolveSibling(file.getFileName() + ".1.tmp"), OTHER);
      }
    }
  }

  private static final byte[] OTHER = {71, 71, 85, 70};
}
