package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.llama.SequencePlaces;
import dev.ocellus.llama.StateFormatException;
import dev.ocellus.tests.TinyTextModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys and values from files, of which every byte may be wrong. */
class SequenceStateTest {
  private static final int N_TOKENS = 24;
  private static final int N_ROWS = 6;
  static final int ROW = 32;
  private static final int WINDOW = 16;

  @TempDir Path directory;

  private LlamaModel model(String architecture) throws IOException {
    Path file = TinyTextModel.write(directory.resolve(architecture + ".gguf"), architecture);
    return LlamaModel.load(file, ModelOptions.defaults().withGpuLayers(0));
  }

  static ContextOptions options(TensorType type, FlashAttention flash) {
    return Golden.context(128)
        .withBatch(64, 64)
        .withSequences(2)
        .withCache(type, type)
        .withFlashAttention(flash);
  }

  /** Tokens, rows of an image on a grid, and tokens again. */
  static SequencePlaces decode(LlamaContext context, int sequence) {
    return decode(context, sequence, () -> {});
  }

  /**
   * The same.
   *
   * @param between done before the image
   */
  private static SequencePlaces decode(LlamaContext context, int sequence, Runnable between) {
    int nPositions = context.model().nPositions();
    SequencePlaces places = new SequencePlaces();
    int position = 0;
    try (Batch tokens = Batch.ofTokens(64);
        Batch rows = Batch.ofEmbeddings(64, context.model().nEmbdInput(), nPositions)) {
      for (; position < N_TOKENS; position++) {
        tokens.add(7 + position % 20, position, sequence, false);
        places.addToken(7 + position % 20, position);
      }
      context.decode(tokens, new CancellationFlag());
      between.run();
      float[] values = new float[N_ROWS * context.model().nEmbdInput()];
      for (int i = 0; i < values.length; i++) {
        values[i] = i % 13 / 9f;
      }
      for (int i = 0; i < N_ROWS; i++) {
        int[] axes =
            nPositions == 1
                ? new int[] {position + i}
                : new int[] {position, position + i / 3, position + i % 3, 0};
        rows.add(values, i, axes, sequence, false);
        places.addRow(axes);
      }
      context.decode(rows, new CancellationFlag());
      position += nPositions == 1 ? N_ROWS : 3;
      tokens.clear();
      tokens.add(9, position, sequence, true);
      places.addToken(9, position);
      context.decode(tokens, new CancellationFlag());
    }
    return places;
  }

  /** A file with a state, whose bytes can be changed. */
  private FileChannel open() throws IOException {
    return FileChannel.open(
        directory.resolve("state"),
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }

  private static boolean read(LlamaContext context, FileChannel file, SequencePlaces places)
      throws IOException {
    return context.readState(1, file, 0, file.size(), places);
  }

  static void flip(FileChannel file, long at, int bits) throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    file.read(one, at);
    file.write(ByteBuffer.allocate(1).put((byte) (one.get(0) ^ bits)).flip(), at);
  }

  /** The logits after one more token. */
  static float[] next(LlamaContext context, int sequence, int position) {
    try (Batch tokens = Batch.ofTokens(1)) {
      tokens.add(11, position, sequence, true);
      context.decode(tokens, new CancellationFlag());
    }
    float[] logits = new float[context.model().vocab().nTokens()];
    context.logits(0, logits);
    return logits;
  }

  static int end(LlamaContext context) {
    return N_TOKENS + (context.model().nPositions() == 1 ? N_ROWS : 3) + 1;
  }

  @ParameterizedTest
  @CsvSource({
    "llama, F16, AUTO",
    "llama, F32, OFF",
    "qwen2, F16, ON",
    "qwen2vl, F16, ON",
    "qwen3vl, BF16, OFF",
    "gemma2, F16, OFF",
    "gemma3, F16, ON",
    "phi3, BF16, ON"
  })
  void refusesEveryChangedByteThatIsNoKeyOrValue(
      String architecture, TensorType type, FlashAttention flash) throws IOException {
    try (LlamaModel model = model(architecture);
        LlamaContext context = model.newContext(options(type, flash));
        FileChannel file = open()) {
      SequencePlaces places = decode(context, 0);
      context.writeState(0, file);
      int position = end(context);
      float[] expected = next(context, 0, position);
      assertThat(read(context, file, places)).isTrue();
      assertThat(next(context, 1, position)).containsExactly(expected);

      int nNumbers = 0;
      for (int i = 0; i < file.size(); i++) {
        flip(file, i, 0x40);
        try {
          boolean done = read(context, file, places);
          nNumbers++;
          if (done && i % 64 == 0) {
            next(context, 1, position); // whatever it is, it can be computed with
          }
        } catch (StateFormatException e) {
          assertThat(e).hasMessageContaining("expected");
        }
        flip(file, i, 0x40);
      }
      int windowed = model.hasSlidingWindow() ? WINDOW : places.size(); // in one of two layers
      long numbers = (places.size() + windowed) * 2 * type.rowBytes(ROW);
      // the lowest byte of the number of the sequence may be another as well, which nobody looks at
      int nSequences = 1 + places.size() + (model.hasSlidingWindow() ? windowed : 0);
      assertThat(nNumbers).isEqualTo((int) numbers + nSequences);
      assertThat(read(context, file, places)).isTrue();
      assertThat(next(context, 1, position)).containsExactly(expected);
    }
  }

  @Test
  void refusesEveryOtherLength() throws IOException {
    try (LlamaModel model = model("gemma3");
        LlamaContext context = model.newContext(options(TensorType.F16, FlashAttention.AUTO));
        FileChannel file = open()) {
      SequencePlaces places = decode(context, 0);
      context.writeState(0, file);
      long length = file.size();
      for (long n = 0; n < length; n += n < 1500 ? 1 : 97) {
        long cut = n;
        assertThatThrownBy(() -> context.readState(1, file, 0, cut, places))
            .as("%d bytes", cut)
            .isInstanceOf(StateFormatException.class);
      }
      file.write(ByteBuffer.allocate(1), length);
      assertThatThrownBy(() -> read(context, file, places))
          .isInstanceOf(StateFormatException.class);
      assertThatThrownBy(() -> context.readState(1, file, 0, Long.MAX_VALUE / 2, places))
          .isInstanceOf(StateFormatException.class)
          .hasMessageContaining("at most");
    }
  }

  @Test
  void refusesTheStateOfOtherPlaces() throws IOException {
    for (String architecture : new String[] {"llama", "qwen2vl", "gemma2"}) {
      try (LlamaModel model = model(architecture);
          LlamaContext context = model.newContext(options(TensorType.F16, FlashAttention.ON));
          FileChannel file = open()) {
        decode(context, 0);
        context.writeState(0, file);
        SequencePlaces fewer = new SequencePlaces();
        SequencePlaces later = new SequencePlaces();
        for (int i = 0; i < N_TOKENS + N_ROWS + 1; i++) {
          later.addToken(9, i + 1);
          if (i > 0) {
            fewer.addToken(9, i);
          }
        }
        for (SequencePlaces other : new SequencePlaces[] {fewer, later}) {
          assertThatThrownBy(() -> read(context, file, other))
              .isInstanceOf(StateFormatException.class);
        }
      }
    }
  }

  @Test
  void doesNotTakeNumbersThatAreNotFinite() throws IOException {
    for (TensorType type : new TensorType[] {TensorType.F32, TensorType.F16, TensorType.BF16}) {
      try (LlamaModel model = model("llama");
          LlamaContext context = model.newContext(options(type, FlashAttention.ON));
          FileChannel file = open()) {
        SequencePlaces places = decode(context, 0);
        context.writeState(0, file);
        int size = type.blockBytes();
        for (long element : new long[] {1, 5}) {
          byte[] infinity = new byte[size];
          infinity[size - 1] = 0x7F;
          infinity[size - 2] = (byte) (type == TensorType.F16 ? 0x7C : 0x80);
          ByteBuffer before = ByteBuffer.allocate(size);
          long at = file.size() - element * size;
          file.read(before, at);
          file.write(ByteBuffer.wrap(infinity), at);
          assertThat(read(context, file, places)).as("%s", type).isFalse();
          file.write(before.flip(), at);
          assertThat(read(context, file, places)).isTrue();
        }
      }
    }
  }

  @Test
  void takesCellsInAnyOrder() throws IOException {
    for (String architecture : new String[] {"llama", "qwen3vl", "gemma3"}) {
      try (LlamaModel model = model(architecture);
          LlamaContext context =
              model.newContext(options(TensorType.F32, FlashAttention.OFF).withContext(512));
          FileChannel file = open()) {
        try (Batch tokens = Batch.ofTokens(64)) {
          for (int i = 0; i < 20; i++) {
            tokens.add(5, i, 1, false);
          }
          context.decode(tokens, new CancellationFlag());
        }
        // the places before the tokens become free, and the image goes there
        SequencePlaces places = decode(context, 0, () -> context.removeFrom(1, 0));
        context.writeState(0, file);
        ByteBuffer first = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder());
        file.read(first, 16);
        assertThat(first.getInt(0)).as("position of the first cell").isEqualTo(N_TOKENS);
        int position = end(context);
        float[] expected = next(context, 0, position);
        assertThat(read(context, file, places)).isTrue();
        assertThat(next(context, 1, position))
            .usingComparatorWithPrecision(1e-4f)
            .containsExactly(expected);
      }
    }
  }
}
