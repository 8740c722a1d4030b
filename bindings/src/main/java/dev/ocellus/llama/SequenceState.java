package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/** Keys and values of one sequence between libllama and files. */
final class SequenceState {
  /** A buffer cannot be longer than an int, and states can. */
  private static final long PIECE = 1 << 24;

  private SequenceState() {}

  static void write(MemorySegment context, int sequence, WritableByteChannel channel)
      throws IOException {
    long size = ggml_h.llama_state_seq_get_size(context, sequence);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment data = scratch.allocate(Math.max(1, size), 64);
      long written = ggml_h.llama_state_seq_get_data(context, data, size, sequence);
      if (written == 0 || written > size) {
        throw new LlamaException(
            "libllama could not write the keys and values of a sequence (%d of %d bytes)"
                .formatted(written, size));
      }
      for (long at = 0; at < written; at += PIECE) {
        ByteBuffer piece = data.asSlice(at, Math.min(PIECE, written - at)).asByteBuffer();
        while (piece.hasRemaining()) {
          channel.write(piece);
        }
      }
    }
  }

  /**
   * Whether the bytes begin as those of so many places do: a magic number, the sequence that was
   * saved, one stream, and the number of places, for which libllama makes room before it looks
   * further.
   */
  private static boolean holds(MemorySegment data, int nPlaces) {
    return data.byteSize() >= 16
        && data.get(ValueLayout.JAVA_INT, 8) == 1
        && data.get(ValueLayout.JAVA_INT, 12) == nPlaces;
  }

  static boolean read(
      MemorySegment context,
      int sequence,
      FileChannel channel,
      long offset,
      long length,
      int nPlaces)
      throws IOException {
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment data = scratch.allocate(Math.max(1, length), 64);
      for (long at = 0; at < length; at += PIECE) {
        ByteBuffer piece = data.asSlice(at, Math.min(PIECE, length - at)).asByteBuffer();
        long from = offset + at;
        while (piece.hasRemaining()) {
          int n = channel.read(piece, from);
          if (n < 0) {
            throw new EOFException("the file ends within the keys and values");
          }
          from += n;
        }
      }
      return holds(data, nPlaces)
          && ggml_h.llama_state_seq_set_data(context, data, length, sequence) == length;
    }
  }
}
