package dev.ocellus.quantize.file;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.io.Sha256;
import java.lang.foreign.MemorySegment;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;

/**
 * Hashes of the tensor data of a file, which do not change with its metadata. SHA-256 of every
 * tensor, and of the data of all tensors in file order, are those of llama-gguf-hash.
 */
public final class GgufHash {
  private static final int PIECE = 1 << 24;

  /** One tensor. */
  public record Line(String name, String sha256) {}

  /**
   * All tensors.
   *
   * @param total SHA-256 of the data of all tensors in file order, without padding
   */
  public record Hashes(List<Line> tensors, String total) {}

  private GgufHash() {}

  /** Hashes all tensors of a file. */
  public static Hashes of(GgufFile file) {
    List<Line> lines = new ArrayList<>();
    MessageDigest all = Sha256.digest();
    for (GgufTensor t : file.tensors()) {
      MessageDigest one = Sha256.digest();
      MemorySegment data = t.data().segment();
      for (long at = 0; at < data.byteSize(); at += PIECE) {
        MemorySegment piece = data.asSlice(at, Math.min(PIECE, data.byteSize() - at));
        one.update(piece.asByteBuffer());
        all.update(piece.asByteBuffer());
      }
      lines.add(new Line(t.name(), Sha256.hex(one)));
    }
    return new Hashes(lines, Sha256.hex(all));
  }
}
