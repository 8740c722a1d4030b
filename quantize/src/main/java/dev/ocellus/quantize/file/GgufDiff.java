package dev.ocellus.quantize.file;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What differs between two GGUF files.
 *
 * @param metadata keys with other values
 * @param tensors tensors with another type, shape or data
 */
public record GgufDiff(List<Line> metadata, List<Line> tensors) {

  /**
   * One difference.
   *
   * @param name key or tensor
   * @param a what the first file has; null for nothing
   * @param b what the second has; null for nothing
   */
  public record Line(String name, @Nullable String a, @Nullable String b) {}

  /** Compares metadata, then tensors byte by byte; the order of neither counts. */
  public static GgufDiff of(GgufFile a, GgufFile b) {
    List<Line> metadata = new ArrayList<>();
    Map<String, GgufValue> inA = a.metadata().asMap();
    Map<String, GgufValue> inB = b.metadata().asMap();
    Set<String> keys = new LinkedHashSet<>(inA.keySet());
    keys.addAll(inB.keySet());
    for (String key : keys) {
      GgufValue va = inA.get(key);
      GgufValue vb = inB.get(key);
      if (va == null || !va.equals(vb)) {
        metadata.add(new Line(key, text(va), text(vb)));
      }
    }
    List<Line> tensors = new ArrayList<>();
    Set<String> names = new LinkedHashSet<>();
    a.tensors().forEach(t -> names.add(t.name()));
    b.tensors().forEach(t -> names.add(t.name()));
    for (String name : names) {
      GgufTensor ta = a.findTensor(name).orElse(null);
      GgufTensor tb = b.findTensor(name).orElse(null);
      if (ta == null || tb == null || !sameForm(ta, tb)) {
        tensors.add(new Line(name, text(ta), text(tb)));
      } else {
        long at = ta.data().segment().mismatch(tb.data().segment());
        if (at >= 0) {
          tensors.add(new Line(name, text(ta), text(tb) + ", other data from byte " + at));
        }
      }
    }
    return new GgufDiff(metadata, tensors);
  }

  /** Whether there is no difference. */
  public boolean isEmpty() {
    return metadata.isEmpty() && tensors.isEmpty();
  }

  private static boolean sameForm(GgufTensor a, GgufTensor b) {
    return a.type() == b.type() && a.shape().equals(b.shape());
  }

  private static @Nullable String text(@Nullable GgufValue v) {
    return v == null ? null : v.type().shortName() + " " + v.display();
  }

  private static @Nullable String text(@Nullable GgufTensor t) {
    return t == null ? null : t.type().ggmlName() + " " + t.shape();
  }
}
