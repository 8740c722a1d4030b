package dev.ocellus.tests.fuzz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Changes what a saved session says, and makes all checksums right again: as somebody would who
 * wants to see what happens.
 */
final class SessionMutator {
  private static final Pattern PNG = Pattern.compile("data:image/png;base64,([A-Za-z0-9+/=]+)");
  private static final int HASH = 32;
  private static final int ROWS_AT = 40; // behind magic and key of an encoded image

  private SessionMutator() {}

  static byte[] mutate(byte[] whole, RandomGenerator random) throws IOException {
    if (random.nextInt(40) == 0) {
      return ByteMutator.mutate(whole, random);
    }
    SessionParts session = new SessionParts(whole);
    Set<Integer> changed = new HashSet<>();
    for (int i = random.nextInt(4) == 0 ? 2 : 1; i > 0; i--) {
      once(session, changed, random);
    }
    return session.join();
  }

  private static void once(SessionParts session, Set<Integer> changed, RandomGenerator random)
      throws IOException {
    int part =
        switch (random.nextInt(14)) {
          case 0 -> SessionParts.INFO;
          case 1, 2 -> SessionParts.MESSAGES;
          case 3, 4 -> SessionParts.ENTRIES;
          case 5, 6, 7 -> SessionParts.IMAGES;
          case 8, 9 -> SessionParts.CHECKPOINTS;
          default -> SessionParts.STATE;
        };
    if (random.nextInt(30) == 0) {
      session.front[12 + random.nextInt(3 * HASH)] ^= 1;
    }
    byte[] bytes = session.parts.get(part);
    if (!changed.add(part) || random.nextInt(10) == 0) { // the form of what was changed is gone
      session.parts.set(part, ByteMutator.mutate(bytes, random));
      return;
    }
    session.parts.set(
        part,
        switch (part) {
          case SessionParts.MESSAGES -> messages(bytes, random);
          case SessionParts.ENTRIES -> entries(bytes, random);
          case SessionParts.IMAGES -> images(bytes, random);
          case SessionParts.STATE -> state(bytes, random, StateFields.find(bytes));
          case SessionParts.CHECKPOINTS -> state(bytes, random, StateFields.ofCheckpoints(bytes));
          default -> ByteMutator.mutate(bytes, random);
        });
  }

  private static byte[] messages(byte[] json, RandomGenerator random) throws IOException {
    String text = new String(json, StandardCharsets.UTF_8);
    Matcher png = PNG.matcher(text);
    if (random.nextBoolean() || !png.find()) {
      return JsonMutator.mutate(json, random);
    }
    byte[] image = ByteMutator.mutate(Base64.getDecoder().decode(png.group(1)), random);
    return (text.substring(0, png.start(1))
            + Base64.getEncoder().encodeToString(image)
            + text.substring(png.end(1)))
        .getBytes(StandardCharsets.UTF_8);
  }

  /** Number of entries; for each its kind, and a token, or an image and a piece of it. */
  private static byte[] entries(byte[] bytes, RandomGenerator random) {
    ByteBuffer out = ByteBuffer.wrap(bytes.clone()); // big-endian, as Java's streams are
    List<Integer> numbers = new ArrayList<>(List.of(0));
    List<Integer> kinds = new ArrayList<>();
    for (int at = 4; at < bytes.length; ) {
      kinds.add(at);
      numbers.add(at + 1);
      if (bytes[at] == 1) {
        numbers.add(at + 5);
        at += 4;
      }
      at += 5;
    }
    if (!kinds.isEmpty() && random.nextInt(8) == 0) {
      out.put(EdgeValues.one(kinds, random), (byte) random.nextInt(3));
    } else {
      int at = EdgeValues.one(numbers, random);
      out.putInt(at, (int) EdgeValues.integer(out.getInt(at), random));
    }
    return out.array();
  }

  /** Number of images; for each its key and the image with a checksum of its own. */
  private static byte[] images(byte[] bytes, RandomGenerator random) {
    byte[] copy = bytes.clone();
    ByteBuffer out = ByteBuffer.wrap(copy);
    int n = out.getInt();
    if (n == 0) {
      return ByteMutator.mutate(bytes, random);
    }
    for (int i = random.nextInt(n); i > 0; i--) {
      out.position(out.position() + 4 + out.getInt(out.position()));
      out.position(out.position() + 4 + out.getInt(out.position()));
    }
    int key = out.position();
    int image = key + 4 + out.getInt(key);
    int from = image + 4;
    int length = out.getInt(image) - HASH;
    switch (random.nextInt(8)) {
      case 0 -> out.putInt(0, (int) EdgeValues.integer(n, random));
      case 1 -> out.putInt(key, (int) EdgeValues.integer(out.getInt(key), random));
      case 2 -> out.putInt(image, (int) EdgeValues.integer(length, random));
      case 3 -> { // a value of a row; they stand at the end
        int value = from + length - 4 * (1 + random.nextInt(50));
        SessionParts.little(copy).putFloat(value, EdgeValues.real(random));
      }
      default -> { // sizes and layout, which stand in front and are of no fixed width
        int at = from + ROWS_AT + random.nextInt(60);
        ByteBuffer little = SessionParts.little(copy);
        little.putInt(at, (int) EdgeValues.integer(little.getInt(at), random));
      }
    }
    byte[] inner = Arrays.copyOfRange(copy, from, from + length);
    System.arraycopy(SessionParts.sha256(inner, length), 0, copy, from + length, HASH);
    return copy;
  }

  private static byte[] state(byte[] bytes, RandomGenerator random, List<Integer> fields) {
    ByteBuffer out = SessionParts.little(bytes.clone());
    if (bytes.length < 16) {
      return ByteMutator.mutate(bytes, random);
    }
    int at = EdgeValues.one(fields, random);
    switch (random.nextInt(8)) {
      case 0 -> { // any key or value
        at = random.nextInt(bytes.length - 3);
        out.putFloat(at, EdgeValues.real(random));
      }
      case 1 -> { // one field says what another one does
        out.putInt(at, out.getInt(EdgeValues.one(fields, random)));
      }
      default -> out.putInt(at, (int) EdgeValues.integer(out.getInt(at), random));
    }
    return out.array();
  }
}
