package dev.ocellus.compute;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.ggml.Device;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GpuSelectionTest {
  @AfterEach
  void all() {
    GpuSelection.clear();
  }

  @Test
  void leavesOneGpuOrSaysThatItIsNotThere() {
    List<Device> all = Device.gpus();
    GpuSelection.only(all.size());
    assertThatThrownBy(Device::gpus)
        .isInstanceOf(GgmlException.class)
        .hasMessageContaining("GPU %d was selected".formatted(all.size()))
        .hasMessageContaining("ggml sees " + all.size());
    GpuSelection.clear();
    if (!all.isEmpty()) {
      GpuSelection.only(0);
      assertThat(Device.gpus()).hasSize(1);
    }
  }

  @Test
  void staysWithOne() {
    GpuSelection.only(1);
    GpuSelection.only(1);
    assertThatThrownBy(() -> GpuSelection.only(0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("uses GPU 1 already");
    assertThat(GpuSelection.selected()).isEqualTo(1);
  }
}
