package dev.ocellus.vlm.tokenizer;

import java.text.Normalizer;
import java.util.HashMap;
import java.util.Map;

/**
 * The part of ftfy's repair of texts that guesses nothing: ligatures, forms of full and half width,
 * curled quotes, control characters, and NFC. What was decoded wrongly stays as it is.
 *
 * <p>The reference is {@code fix_text} of ftfy: <a
 * href="https://github.com/rspeer/python-ftfy/blob/v6.3.1/ftfy/__init__.py">ftfy</a>.
 */
final class TextRepair {
  private static final Map<Integer, String> LIGATURES = new HashMap<>();

  static {
    String[] pairs = {
      "\u0132", "IJ", "\u0133", "ij", "\u0149", "\u02bcn", "\u01f1", "DZ", "\u01f2", "Dz", "\u01f3",
      "dz", "\u01c4", "D\u017d", "\u01c5", "D\u017e", "\u01c6", "d\u017e", "\u01c7", "LJ", "\u01c8",
      "Lj", "\u01c9", "lj", "\u01ca", "NJ", "\u01cb", "Nj", "\u01cc", "nj", "\ufb00", "ff",
      "\ufb01", "fi", "\ufb02", "fl", "\ufb03", "ffi", "\ufb04", "ffl", "\ufb05", "\u017ft",
      "\ufb06", "st"
    };
    for (int i = 0; i < pairs.length; i += 2) {
      LIGATURES.put(pairs[i].codePointAt(0), pairs[i + 1]);
    }
  }

  private TextRepair() {}

  /** The repaired text. */
  static String of(String text) {
    StringBuilder out = new StringBuilder(text.length());
    text.codePoints().forEach(c -> append(out, c));
    return Normalizer.normalize(out, Normalizer.Form.NFC);
  }

  private static void append(StringBuilder out, int c) {
    if (isControl(c)) {
      return;
    }
    String ligature = LIGATURES.get(c);
    if (ligature != null) {
      ligature.codePoints().forEach(letter -> appendQuote(out, letter));
    } else if (c == 0x3000) {
      out.append(' ');
    } else if (c >= 0xff01 && c < 0xfff0) {
      out.append(Normalizer.normalize(Character.toString(c), Normalizer.Form.NFKC));
    } else {
      appendQuote(out, c);
    }
  }

  private static void appendQuote(StringBuilder out, int c) {
    if (c == 0x2bc || (c >= 0x2018 && c <= 0x201b)) {
      out.append('\'');
    } else if (c >= 0x201c && c <= 0x201f) {
      out.append('"');
    } else {
      out.appendCodePoint(c);
    }
  }

  /** Of no use in a text; white space is not among them. */
  private static boolean isControl(int c) {
    return c < 9
        || c == 0xb
        || (c >= 0xe && c < 0x20)
        || c == 0x7f
        || (c >= 0x206a && c < 0x2070)
        || c == 0xfeff
        || (c >= 0xfff9 && c < 0xfffd);
  }
}
