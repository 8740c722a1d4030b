package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ggml.NativeStack;
import dev.ocellus.io.Channels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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
    long size = NativeStack.call(() -> ggml_h.llama_state_seq_get_size(context, sequence));
    try (Arena scratch = Arena.ofShared()) {
      MemorySegment data = scratch.allocate(Math.max(1, size), 64);
      long written =
          NativeStack.call(() -> ggml_h.llama_state_seq_get_data(context, data, size, sequence));
      if (written == 0 || written > size) {
        throw new LlamaException(
            "libllama could not write the keys and values of a sequence (%d of %d bytes)"
                .formatted(written, size));
      }
      write(data.asSlice(0, written), channel);
    }
  }

  /** Writes bytes at a channel's position. */
  static void write(MemorySegment data, WritableByteChannel channel) throws IOException {
    for (long at = 0; at < data.byteSize(); at += PIECE) {
      Channels.write(channel, piece(data, at));
    }
  }

  /** Reads the bytes of a state, which the caller knows to be no more than memory holds. */
  static MemorySegment load(FileChannel channel, long offset, long length, Arena arena)
      throws IOException {
    MemorySegment data = arena.allocate(Math.max(1, length), 64).asSlice(0, length);
    read(channel, offset, data);
    return data;
  }

  /** Fills memory from a file. */
  static void read(FileChannel channel, long offset, MemorySegment data) throws IOException {
    for (long at = 0; at < data.byteSize(); at += PIECE) {
      Channels.read(channel, offset + at, piece(data, at));
    }
  }

  private static ByteBuffer piece(MemorySegment data, long at) {
    return data.asSlice(at, Math.min(PIECE, data.byteSize() - at)).asByteBuffer();
  }

  /**
   * Replaces a sequence by a state that was checked, of memory that any thread may read.
   *
   * @return false if there is no room, and then the sequence may be half there
   */
  static boolean put(MemorySegment context, int sequence, MemorySegment data) {
    return NativeStack.call(
            () -> ggml_h.llama_state_seq_set_data(context, data, data.byteSize(), sequence))
        == data.byteSize();
  }
}
