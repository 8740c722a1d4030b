package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.OcellusException;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.compute.OutOfDeviceMemoryException;
import dev.ocellus.ggml.NativeLog;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecodeStatusTest {
  private static void require(int status) {
    try (Batch batch = Batch.ofTokens(3)) {
      DecodeStatus.requireDecoded(
          new NativeLog.Observed<>(status, List.of("the reason")), batch, 64);
    }
  }

  @Test
  void nothingIsThrownForABatchThatWasComputed() {
    assertThatCode(() -> require(0)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({"-1,status -1", "-3,status -3", "3,status 3"})
  void whatFailedIsToldWithItsStatusAndReason(int status, String part) {
    assertThatThrownBy(() -> require(status))
        .isExactlyInstanceOf(LlamaException.class)
        .hasMessageContainingAll(part, "the reason");
  }

  @Test
  void whatHasAnExceptionOfItsOwnIsToldByIt() {
    assertThatThrownBy(() -> require(1)).isInstanceOf(ContextOverflowException.class);
    assertThatThrownBy(() -> require(2)).isInstanceOf(ComputationCancelledException.class);
    assertThatThrownBy(() -> require(-2))
        .isInstanceOf(OutOfDeviceMemoryException.class)
        .isInstanceOf(OcellusException.class)
        .hasMessageContainingAll("the reason", "nUbatch", "-Xmx");
  }
}
