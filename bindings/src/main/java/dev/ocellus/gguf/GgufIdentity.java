package dev.ocellus.gguf;

import dev.ocellus.io.Sha256;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.List;

/**
 * Tells models apart without reading them whole: SHA-256 over everything in front of the tensors
 * (metadata, names, shapes, types, offsets), the sizes of the files, and the first and last {@value
 * #SAMPLE} bytes of every tensor. Two models of one recipe differ in nearly all their numbers, so
 * they differ in these; where a file lies and when it was written makes no difference.
 */
final class GgufIdentity {
  private static final int SAMPLE = 4096;

  private GgufIdentity() {}

  static String of(List<MappedGguf> parts) {
    MessageDigest digest = Sha256.digest();
    for (MappedGguf part : parts) {
      MemorySegment data = part.data();
      digest.update(ByteBuffer.allocate(8).putLong(data.byteSize()).flip());
      List<GgufParser.Entry> tensors = part.header().tensors();
      long head =
          tensors.stream().mapToLong(GgufParser.Entry::offset).min().orElse(data.byteSize());
      update(digest, data, 0, head);
      for (GgufParser.Entry tensor : tensors) {
        long sample = Math.min(SAMPLE, tensor.bytes());
        update(digest, data, tensor.offset(), sample);
        update(digest, data, tensor.offset() + tensor.bytes() - sample, sample);
      }
    }
    return Sha256.hex(digest);
  }

  private static void update(MessageDigest digest, MemorySegment data, long from, long length) {
    long at = from;
    long end = from + length;
    while (at < end) {
      long n = Math.min(end - at, 1 << 20); // a buffer cannot be longer than an int
      digest.update(data.asSlice(at, n).asByteBuffer());
      at += n;
    }
  }
}
