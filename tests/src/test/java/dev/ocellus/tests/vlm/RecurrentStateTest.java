package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.llama.SequencePlaces;
import dev.ocellus.llama.StateCheckpoint;
import dev.ocellus.llama.StateFormatException;
import dev.ocellus.tests.TinyTextModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Recurrent states from files, of which every byte may be wrong, as {@link SequenceStateTest}. */
class RecurrentStateTest {
  /** Number of the sequence and what stands in front of states; type and length of each tensor. */
  private static final int CHECKPOINT_FRONT = 28;

  private static final int TENSOR_FRONT = 12;

  @TempDir Path directory;

  private LlamaModel model(String architecture) throws IOException {
    Path file = TinyTextModel.write(directory.resolve(architecture + ".gguf"), architecture);
    return LlamaModel.load(file, ModelOptions.defaults().withGpuLayers(0));
  }

  private FileChannel open(String name) throws IOException {
    return FileChannel.open(
        directory.resolve(name),
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }

  private static boolean read(LlamaContext context, FileChannel file, SequencePlaces places)
      throws IOException {
    return context.readState(1, file, 0, file.size(), places);
  }

  /** A model of two blocks, of which one attends, or both do and are recurrent beside it. */
  @ParameterizedTest
  @CsvSource({
    "qwen35, F16, AUTO, 1, 1",
    "qwen35moe, F32, OFF, 1, 1",
    "lfm2, F16, ON, 1, 1",
    "lfm2moe, BF16, OFF, 1, 1",
    "granitehybrid, F16, OFF, 1, 1",
    "falcon-h1, F16, ON, 2, 2"
  })
  void refusesEveryChangedByteThatIsNoNumber(
      String architecture, TensorType type, FlashAttention flash, int nAttending, int nRecurrent)
      throws IOException {
    try (LlamaModel model = model(architecture);
        LlamaContext context = model.newContext(SequenceStateTest.options(type, flash));
        FileChannel file = open("state")) {
      SequencePlaces places = SequenceStateTest.decode(context, 0);
      context.writeState(0, file);
      int position = SequenceStateTest.end(context);
      long states;
      try (StateCheckpoint checkpoint = StateCheckpoint.take(context, 0, position, null)) {
        states = checkpoint.bytes() - CHECKPOINT_FRONT - 2L * TENSOR_FRONT * nRecurrent;
      }
      float[] expected = SequenceStateTest.next(context, 0, position);
      assertThat(file.size()).isLessThanOrEqualTo(context.maxStateLength(places.size()));
      assertThat(read(context, file, places)).isTrue();
      assertThat(SequenceStateTest.next(context, 1, position)).containsExactly(expected);

      long nNumbers = 0;
      for (int i = 0; i < file.size(); i++) {
        SequenceStateTest.flip(file, i, 0x40);
        try {
          boolean done = read(context, file, places);
          nNumbers++;
          if (done && i % 64 == 0) {
            SequenceStateTest.next(context, 1, position); // whatever it is, it can be computed with
          }
        } catch (StateFormatException e) {
          assertThat(e).hasMessageContaining("expected");
        }
        SequenceStateTest.flip(file, i, 0x40);
      }
      long keys = (long) nAttending * places.size() * 2 * type.rowBytes(SequenceStateTest.ROW);
      assertThat(nNumbers)
          .as("numbers, and the lowest byte of the number of the sequence")
          .isEqualTo(keys + states + 1 + places.size());
      assertThat(read(context, file, places)).isTrue();
      assertThat(SequenceStateTest.next(context, 1, position)).containsExactly(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"qwen35", "lfm2", "granitehybrid", "falcon-h1"})
  void checksCheckpointsAsItDoesStates(String architecture) throws IOException {
    try (LlamaModel model = model(architecture);
        LlamaContext context =
            model.newContext(SequenceStateTest.options(TensorType.F32, FlashAttention.OFF));
        FileChannel file = open("checkpoint")) {
      SequencePlaces places = SequenceStateTest.decode(context, 0);
      int position = SequenceStateTest.end(context);
      try (StateCheckpoint taken = StateCheckpoint.take(context, 0, position, null)) {
        taken.write(file);
        assertThat(file.size()).isEqualTo(taken.bytes());
      }
      float[] expected = SequenceStateTest.next(context, 0, position);
      try (StateCheckpoint read = checkpoint(context, file, places, position).orElseThrow()) {
        assertThat(read.restore(0)).isTrue();
        assertThat(SequenceStateTest.next(context, 0, position)).containsExactly(expected);
      }
      for (int i : new int[] {0, 3, 5, 8, 11, 12, 16, 20, 24, 27, 28, 32, 39}) {
        SequenceStateTest.flip(file, i, 0x40);
        assertThatThrownBy(() -> checkpoint(context, file, places, position))
            .as("byte %d", i)
            .isInstanceOf(StateFormatException.class);
        SequenceStateTest.flip(file, i, 0x40);
      }
      SequencePlaces longer = SequenceStateTest.decode(context, 1).addToken(3, position);
      assertThatThrownBy(() -> checkpoint(context, file, longer, position + 1))
          .isInstanceOf(StateFormatException.class)
          .hasMessageContaining("expected " + position);
      ByteBuffer infinity = ByteBuffer.wrap(new byte[] {0, 0, (byte) 0x80, 0x7F});
      file.write(infinity, CHECKPOINT_FRONT + TENSOR_FRONT);
      assertThat(checkpoint(context, file, places, position)).isEmpty();
      file.truncate(file.size() - 1);
      assertThatThrownBy(() -> checkpoint(context, file, places, position))
          .isInstanceOf(StateFormatException.class)
          .hasMessageContaining("bytes");
    }
  }

  private static Optional<StateCheckpoint> checkpoint(
      LlamaContext context, FileChannel file, SequencePlaces places, int position)
      throws IOException {
    return StateCheckpoint.read(context, file, 0, file.size(), places, position);
  }
}
