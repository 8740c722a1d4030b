package dev.ocellus.vlm.image.codec;

import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageFrame;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.TestImages;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Breaks image files in the ways that files break, and decodes them: the outcome must be an image
 * or an {@link ImageFormatException}. The same seed breaks the same way.
 */
final class ImageMutationFuzz {
  /** Small, so that a header that asks for much costs little. */
  private static final ImageLimits LIMITS = new ImageLimits(1 << 20, 1 << 18, 4096, 20);

  /** What came of a run. */
  record Outcome(int decoded, int refused, long slowestNanos, String slowest) {}

  private final List<byte[]> seeds;
  private final List<String> names;
  private final Random random;

  ImageMutationFuzz(List<String> names, List<byte[]> seeds, long seed) {
    this.names = names;
    this.seeds = seeds;
    this.random = new Random(seed);
  }

  /** Decodes {@code count} broken files; throws an AssertionError at anything that is not right. */
  Outcome run(int count) {
    int decoded = 0;
    int refused = 0;
    long slowestNanos = 0;
    String slowest = "";
    for (int i = 0; i < count; i++) {
      int which = i % seeds.size();
      byte[] file = mutate(seeds.get(which));
      String name = names.get(which) + " (run " + i + ")";
      long start = System.nanoTime();
      if (decodes(name, file)) {
        decoded++;
      } else {
        refused++;
      }
      long nanos = System.nanoTime() - start;
      if (nanos > slowestNanos) {
        slowestNanos = nanos;
        slowest = name;
      }
    }
    return new Outcome(decoded, refused, slowestNanos, slowest);
  }

  private static boolean decodes(String name, byte[] file) {
    try {
      RgbImage image = ImageDecoder.decode(file, LIMITS);
      if (image.toByteArray().length != image.width() * image.height() * 3) {
        throw new AssertionError(name + " gave an image of the wrong size");
      }
      for (ImageFrame frame : ImageDecoder.decodeFrames(file, LIMITS)) {
        if (frame.duration().isNegative()) {
          throw new AssertionError(name + " gave a frame of negative duration");
        }
      }
      return true;
    } catch (ImageFormatException e) {
      if (e.getMessage() == null || e.getMessage().isBlank()) {
        throw new AssertionError(name + " was refused without a reason", e);
      }
      return false;
    } catch (RuntimeException | Error e) {
      throw new AssertionError(name + " made the decoder throw " + e, e);
    }
  }

  private byte[] mutate(byte[] original) {
    byte[] file = original.clone();
    int changes = 1 + random.nextInt(4);
    for (int i = 0; i < changes && file.length > 4; i++) {
      // Headers decide more than pixels do.
      int reach = random.nextBoolean() ? Math.min(file.length, 128) : file.length;
      int at = random.nextInt(reach);
      switch (random.nextInt(9)) {
        case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> file[at] = (byte) random.nextInt(256);
        case 2 -> file[at] = (byte) (random.nextBoolean() ? 0xFF : 0x7F);
        case 3 -> file[at] = 0;
        case 4 -> Arrays.fill(file, at, Math.min(file.length, at + 4), (byte) 0xFF);
        case 5 -> file = Arrays.copyOf(file, at + 1);
        case 6 -> file = Arrays.copyOf(file, file.length + random.nextInt(64));
        case 7 -> {
          // Repeat a part of the file elsewhere in it.
          int length = Math.min(random.nextInt(32), file.length - at);
          int from = random.nextInt(file.length - length + 1);
          System.arraycopy(file, from, file, at, length);
        }
        default -> {
          // Cut something out of the middle.
          int length = Math.min(1 + random.nextInt(16), file.length - at);
          byte[] shorter = Arrays.copyOf(file, file.length - length);
          System.arraycopy(file, at + length, shorter, at, file.length - at - length);
          file = shorter;
        }
      }
    }
    repairChecksums(file);
    return file;
  }

  /**
   * Gives PNG chunks their checksums again, half of the time: otherwise nothing gets past these.
   */
  private void repairChecksums(byte[] file) {
    if (file.length < 33 || file[0] != (byte) 0x89 || random.nextBoolean()) {
      return;
    }
    int at = 8;
    while (at + 12 <= file.length) {
      int length = ByteBuffer.wrap(file).getInt(at);
      if (length < 0 || length > file.length - at - 12) {
        return;
      }
      TestImages.fixCrc(file, at + 4, length + 4);
      at += 12 + length;
    }
  }

  /** Breaks the files named in {@code args[2...]}: {@code seed count file...}. */
  public static void main(String[] args) {
    List<String> names = List.of(args).subList(2, args.length);
    List<byte[]> seeds = names.stream().map(name -> TestImages.bytes(Path.of(name))).toList();
    var fuzz = new ImageMutationFuzz(names, seeds, Long.parseLong(args[0]));
    System.out.println(fuzz.run(Integer.parseInt(args[1])));
  }
}
