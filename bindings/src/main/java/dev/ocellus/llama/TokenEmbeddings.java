package dev.ocellus.llama;

import dev.ocellus.ggml.Ggml;
import dev.ocellus.ggml.RowCodec;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * The table of a text model from tokens to embeddings, for giving tokens to {@link
 * LlamaContext#decode} as rows: a batch holds either tokens or rows, and what is to attend to each
 * other must be in one batch.
 *
 * <p>The rows are as they are stored. Models that scale them do so with every input.
 *
 * <p>Thread-safe.
 */
public final class TokenEmbeddings implements AutoCloseable {
  private static final String TABLE = "token_embd.weight";

  private final GgufFile file;
  private final GgufTensor table;
  private final int width;
  private final int nTokens;
  private final long rowBytes;

  private TokenEmbeddings(GgufFile file) {
    this.file = file;
    this.table = file.tensor(TABLE);
    this.width = Math.toIntExact(table.dim(0));
    this.nTokens = Math.toIntExact(table.dim(1));
    this.rowBytes = table.type().rowBytes(width);
  }

  /**
   * Opens the file of a text model, which is mapped and not read.
   *
   * @throws IOException if it cannot be read
   * @throws dev.ocellus.OcellusException if it is damaged or has no such table
   */
  public static TokenEmbeddings open(Path model) throws IOException {
    return open(model, file -> ModelGuard.check(file, false));
  }

  /** As {@link #open(Path)}, of a model that something else than libllama computes. */
  public static TokenEmbeddings openTable(Path model) throws IOException {
    return open(model, GgufFile::requireReadableByGgml);
  }

  private static TokenEmbeddings open(Path model, Consumer<GgufFile> check) throws IOException {
    Ggml.initialize();
    GgufFile file = GgufFile.open(model);
    try {
      check.accept(file);
      return new TokenEmbeddings(file);
    } catch (Throwable e) {
      file.close();
      throw e;
    }
  }

  /** Floats of a row. */
  public int width() {
    return width;
  }

  /**
   * Writes the row of a token.
   *
   * @param to at least {@code at + width()} long
   * @throws IllegalArgumentException if there is no such token
   */
  public void row(int token, float[] to, int at) {
    if (token < 0 || token >= nTokens) {
      throw new IllegalArgumentException(
          "token %d: expected 0 to %d".formatted(token, nTokens - 1));
    }
    MemorySegment stored = table.data().segment().asSlice(token * rowBytes, rowBytes);
    try (Arena scratch = Arena.ofConfined()) {
      MemorySegment aligned = scratch.allocate(rowBytes, 64).copyFrom(stored);
      MemorySegment floats = scratch.allocate(4L * width, 64);
      RowCodec.decode(table.type(), aligned, floats, width);
      MemorySegment.copy(floats, ValueLayout.JAVA_FLOAT, 0, to, at, width);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
