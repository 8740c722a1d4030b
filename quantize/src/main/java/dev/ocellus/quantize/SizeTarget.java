package dev.ocellus.quantize;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** How large the tensors of a quantized model may be. */
public sealed interface SizeTarget {

  /** Bytes of the whole file, metadata included. */
  record FileBytes(long bytes) implements SizeTarget {
    public FileBytes {
      if (bytes < 1) {
        throw new IllegalArgumentException("target size: expected at least 1, found " + bytes);
      }
    }
  }

  /** Bits for each weight, on average over all tensors. */
  record BitsPerWeight(double bits) implements SizeTarget {
    public BitsPerWeight {
      if (!(bits > 0 && bits <= 64)) {
        throw new IllegalArgumentException(
            "target bits per weight: expected more than 0 and at most 64, found " + bits);
      }
    }
  }

  /**
   * A size such as {@code 3.2G}, {@code 900M} or {@code 3GiB}; K, M, G and T are powers of 1000,
   * KiB, MiB, GiB and TiB of 1024.
   *
   * @throws IllegalArgumentException if the text is not of that form
   */
  static FileBytes parse(String text) {
    Matcher m =
        Pattern.compile("\\s*(\\d{1,15}(?:\\.\\d{1,15})?)\\s*([KMGT]?)(I?)B?\\s*")
            .matcher(text.toUpperCase(Locale.ROOT));
    if (!m.matches() || (m.group(2).isEmpty() && !m.group(3).isEmpty())) {
      throw new IllegalArgumentException(
          "target size: expected a size such as 3.2G, 900M or 3GiB, found '%s'".formatted(text));
    }
    int power = "KMGT".indexOf(m.group(2).isEmpty() ? "-" : m.group(2)) + 1;
    double unit = Math.pow(m.group(3).isEmpty() ? 1000 : 1024, power);
    return new FileBytes((long) (Double.parseDouble(m.group(1)) * unit));
  }
}
