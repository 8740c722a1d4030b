package dev.ocellus.server.api;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Whether bytes are UTF-8. Jackson takes some that are not: overlong forms, halves of pairs, and
 * numbers beyond the last character.
 */
public final class Utf8 {
  private static final int PIECE = 8192;

  private Utf8() {}

  /** The index of the first byte that cannot be there; -1 if all can. */
  public static int firstWrong(byte[] bytes) {
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(PIECE);
    CoderResult result;
    do {
      out.clear();
      result = decoder.decode(in, out, true);
    } while (result.isOverflow());
    return result.isError() ? in.position() : -1;
  }

  /** Whether JSON is in UTF-16 or UTF-32, by its mark or by the zeros of its first characters. */
  static boolean isWider(byte[] json) {
    if (json.length < 2) {
      return false;
    }
    int first = (json[0] & 0xff) << 8 | json[1] & 0xff;
    return first == 0xfeff || first == 0xfffe || json[0] == 0 || json[1] == 0;
  }
}
