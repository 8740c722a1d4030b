package dev.ocellus.vlm.chat;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.encoder.ImageEmbeddings;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.OverflowPolicy;
import dev.ocellus.vlm.options.SessionOptions;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.sampling.SamplingOptions;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImagePiece;
import dev.ocellus.vlm.vision.Tiles;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Values are equal when they say the same, also where they hold arrays, and builders keep all. */
class ValuesTest {
  private static Answer answer(int... tokens) {
    var stage = new Timings.Stage(1, 2);
    return new Answer(
        "<think>hm</think>yes",
        tokens,
        StopReason.END,
        "prompt",
        new int[] {7, -1},
        new Usage(2, 1, 0, tokens.length),
        new Timings(stage, stage, stage, stage),
        new Answer.Parts("yes", "hm", List.of(), List.of(), "", ""));
  }

  @Test
  void answersAreEqualByContentAndDoNotChange() {
    Answer answer = answer(1, 2);
    assertThat(answer).isEqualTo(answer(1, 2)).hasSameHashCodeAs(answer(1, 2));
    assertThat(answer).isNotEqualTo(answer(1, 3));
    answer.tokens()[0] = 9;
    answer.promptTokens()[0] = 9;
    assertThat(answer).isEqualTo(answer(1, 2));
    assertThat(answer.rawText()).isEqualTo("<think>hm</think>yes");
    assertThat(answer.content()).isEqualTo("yes");
    assertThat(answer.reasoning()).isEqualTo("hm");
  }

  @Test
  void valuesWithArraysAreEqualByContent() {
    List<ImagePiece> layout = List.of(ImagePiece.Embeddings.of(1));
    assertThat(new EncodedImage(new float[] {1, 2}, 1, 2, layout))
        .isEqualTo(new EncodedImage(new float[] {1, 2}, 1, 2, layout))
        .isNotEqualTo(new EncodedImage(new float[] {1, 3}, 1, 2, layout));
    assertThat(new ImageEmbeddings(new float[] {1, 2}, 1, 2))
        .isEqualTo(new ImageEmbeddings(new float[] {1, 2}, 1, 2))
        .isNotEqualTo(new ImageEmbeddings(new float[] {1, 2}, 2, 1));
    assertThat(Tiles.alone(new float[12], 2, 2, 1))
        .isEqualTo(Tiles.alone(new float[12], 2, 2, 1))
        .isNotEqualTo(Tiles.alone(new float[] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 2, 2, 1));
    int[] ids = {1, 2};
    var tokens = new Segment.Tokens(ids);
    ids[0] = 9;
    tokens.ids()[1] = 9;
    assertThat(tokens).isEqualTo(new Segment.Tokens(new int[] {1, 2}));
  }

  @Test
  void buildersKeepWhatIsNotChanged() {
    GenerationOptions options =
        GenerationOptions.defaults().toBuilder()
            .maxTokens(5)
            .sampling(SamplingOptions.greedy())
            .stop(List.of("x"))
            .ignoreEos(true)
            .prompt(PromptOptions.defaults().withThinking(false).withContinueLast(false))
            .logProbs(3)
            .build();
    assertThat(options.toBuilder().build()).isEqualTo(options);
    assertThat(options.withMaxTokens(6).withMaxTokens(5)).isEqualTo(options);
    assertThat(options.prompt().toBuilder().build()).isEqualTo(options.prompt());
    assertThat(options.prompt().templateArguments()).containsEntry("enable_thinking", false);

    LoadOptions load =
        LoadOptions.of(Path.of("text.gguf"), Path.of("mmproj.gguf"))
            .withChatTemplate("template")
            .withSessions(SessionOptions.defaults().withOverflow(OverflowPolicy.EVICT));
    assertThat(load.toBuilder().build()).isEqualTo(load);
    assertThat(load.toBuilder().mmproj(null).build().sessions()).isEqualTo(load.sessions());
  }
}
