package dev.ocellus.tests.fuzz;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Damages files of any format. */
final class ByteMutator {
  private ByteMutator() {}

  /** A damaged copy. */
  static byte[] mutate(byte[] file, RandomGenerator random) {
    byte[] out = file.clone();
    int times = 1 + random.nextInt(4);
    for (int i = 0; i < times && out.length > 0; i++) {
      out = once(out, random);
    }
    return out;
  }

  private static byte[] once(byte[] file, RandomGenerator random) {
    int at = position(file, random);
    switch (random.nextInt(8)) {
      case 0, 1 -> file[at] ^= (byte) (1 << random.nextInt(8));
      case 2 -> file[at] = (byte) random.nextInt(256);
      case 3 -> { // a number of 4 bytes
        for (int i = 0, v = (int) EdgeValues.integer(0, random);
            i < 4 && at + i < file.length;
            i++) {
          file[at + i] = (byte) (v >> 8 * i);
        }
      }
      case 4 -> {
        int n = Math.min(file.length - at, 1 + random.nextInt(64));
        for (int i = 0; i < n; i++) {
          file[at + i] = (byte) random.nextInt(256);
        }
      }
      case 5 -> {
        return Arrays.copyOf(file, at);
      }
      case 6 -> { // something is there twice
        int n = Math.min(file.length - at, 1 + random.nextInt(256));
        byte[] longer = new byte[file.length + n];
        System.arraycopy(file, 0, longer, 0, at + n);
        System.arraycopy(file, at, longer, at + n, file.length - at);
        return longer;
      }
      default -> { // something is missing
        int n = Math.min(file.length - at, 1 + random.nextInt(64));
        byte[] shorter = new byte[file.length - n];
        System.arraycopy(file, 0, shorter, 0, at);
        System.arraycopy(file, at + n, shorter, at, shorter.length - at);
        return shorter;
      }
    }
    return file;
  }

  /** Headers stand in front, and are worth more than half of the attempts. */
  private static int position(byte[] file, RandomGenerator random) {
    int reach = random.nextInt(3) == 0 ? file.length : Math.min(file.length, 512);
    return random.nextInt(reach);
  }
}
