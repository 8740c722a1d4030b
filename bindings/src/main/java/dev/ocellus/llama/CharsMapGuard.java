package dev.ocellus.llama;

import dev.ocellus.gguf.GgufMetadata;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;

/**
 * Checks the map of characters of a SentencePiece model, which libllama walks through while it
 * tokenizes: what is out of bounds there throws through code that cannot catch it. Every node that
 * a text can lead to is looked at.
 *
 * <p>Layout: bytes of the trie as a little-endian u32, the trie as a double array of u32 units, and
 * the replacements, each ended by a zero.
 */
final class CharsMapGuard {
  private static final String KEY = "tokenizer.ggml.precompiled_charsmap";
  private static final int LABEL = 0x8000_00FF;

  private final Path file;
  private final IntBuffer units;
  private final int nReplacements;

  private CharsMapGuard(Path file, IntBuffer units, byte[] replacements) {
    this.file = file;
    this.units = units;
    // what stands behind the last zero is no string
    int end = replacements.length;
    while (end > 0 && replacements[end - 1] != 0) {
      end--;
    }
    this.nReplacements = end;
  }

  static void check(Path file, GgufMetadata metadata) {
    long[] values = metadata.findIntegers(KEY).orElse(new long[0]);
    if (values.length == 0 && metadata.findIntegers(KEY).isEmpty()) {
      return;
    }
    byte[] data = new byte[values.length];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) values[i];
    }
    ByteBuffer in = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
    int size = data.length < 4 ? -1 : in.getInt();
    if (size < 4 || size % 4 != 0 || size >= in.remaining()) {
      throw refusal(file, "a trie within %d bytes".formatted(data.length), size + " bytes of it");
    }
    byte[] replacements = new byte[data.length - 4 - size];
    in.get(4 + size, replacements);
    new CharsMapGuard(
            file, in.slice(4, size).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer(), replacements)
        .walk();
  }

  private void walk() {
    int nUnits = units.limit();
    BitSet seen = new BitSet(nUnits);
    Deque<Integer> open = new ArrayDeque<>();
    visit(offset(units.get(0)), seen, open);
    while (!open.isEmpty()) {
      int node = open.pop();
      for (int letter = 1; letter < 256; letter++) {
        int child = node ^ letter;
        int unit = units.get(child);
        if ((unit & LABEL) == letter) {
          int next = child ^ offset(unit);
          visit(next, seen, open);
          if ((unit >>> 8 & 1) == 1) {
            requireReplacement(units.get(next) & 0x7FFF_FFFF);
          }
        }
      }
    }
  }

  /** Whatever letter comes next is looked up, so all that differ in the last byte must be there. */
  private void visit(int node, BitSet seen, Deque<Integer> open) {
    if (node < 0 || (node | 0xFF) >= units.limit()) {
      throw refusal(file, "nodes below " + units.limit(), "node " + Integer.toUnsignedString(node));
    }
    if (!seen.get(node)) {
      seen.set(node);
      open.push(node);
    }
  }

  private void requireReplacement(int from) {
    if (from >= nReplacements) {
      throw refusal(
          file, "replacements that end within %d bytes".formatted(nReplacements), "one at " + from);
    }
  }

  private static int offset(int unit) {
    return unit >>> 10 << ((unit & 1 << 9) >>> 6);
  }

  private static LlamaException refusal(Path file, String expected, String found) {
    return ModelGuard.refusal(
        file,
        "metadata \"" + KEY + "\"",
        expected,
        found,
        "The file is damaged; download or convert it again.");
  }
}
