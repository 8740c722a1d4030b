package dev.ocellus.server.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.llama.ContextOptions.FlashAttention;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.options.LoadOptions;
import org.junit.jupiter.api.Test;

class AttentionChoiceTest {
  private static LoadOptions options(int parallel, int nCtx) throws Exception {
    LoadOptions files = DemoModel.files();
    return files
        .withModelOptions(files.modelOptions().withGpuLayers(0))
        .withSessions(files.sessions().withParallel(parallel))
        .withContextOptions(files.contextOptions().withContext(nCtx));
  }

  private static FlashAttention chosen(LoadOptions options) throws Exception {
    return AttentionChoice.in(options).contextOptions().flashAttention();
  }

  @Test
  void isWithoutFlashAttentionWhereScoresAreSmall() throws Exception {
    assertThat(chosen(options(4, 0))).isEqualTo(FlashAttention.OFF);
    assertThat(chosen(options(8, 512))).isEqualTo(FlashAttention.OFF);
  }

  @Test
  void leavesLargeContextsSingleSequencesAndWishesAlone() throws Exception {
    assertThat(chosen(options(8, 4096))).isEqualTo(FlashAttention.AUTO);
    assertThat(chosen(options(1, 512))).isEqualTo(FlashAttention.AUTO);
    LoadOptions wished = options(4, 512);
    var on = wished.contextOptions().withFlashAttention(FlashAttention.ON);
    assertThat(chosen(wished.withContextOptions(on))).isEqualTo(FlashAttention.ON);
  }
}
