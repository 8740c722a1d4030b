package dev.ocellus.vlm.imagetext;

import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.DraftUse;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.OutputConstraint;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.chat.Usage;
import java.util.List;
import java.util.function.Supplier;

/** What captions and answers to questions have in common besides how they are computed. */
final class Writing {
  /** Without other settings the reference writes so many tokens at most. */
  private static final int MAX_TOKENS = 20;

  private static final Timings.Stage NOTHING = new Timings.Stage(0, 0);

  private Writing() {}

  /**
   * As the reference generates by default: always the likeliest token, at most 20. It takes no
   * notice of {@code generation_config.json} for these models.
   */
  static GenerationOptions defaults() {
    return GenerationOptions.greedy().withMaxTokens(MAX_TOKENS);
  }

  /** Refuses what needs a chat model. */
  static void requirePlain(GenerationOptions options) {
    if (!(options.constraint() instanceof OutputConstraint.None)) {
      throw new IllegalArgumentException(
          "A text about an image cannot be constrained to a grammar or a schema; a chat model"
              + " can.");
    }
    if (!options.prompt().tools().isEmpty()) {
      throw new IllegalArgumentException("A text about an image calls no tools; a chat model can.");
    }
  }

  /** An answer that was cancelled before its image was encoded. */
  static Answer cancelled(String prompt) {
    return Answer.cancelled(prompt, new Timings(NOTHING, NOTHING, NOTHING, NOTHING));
  }

  /** What a text went on from, or was written about. */
  record Prompt(String text, int[] ids, String continued) {}

  /** The answer that was written, or one that was cancelled before its first token. */
  static Answer answer(Prompt prompt, OpenedModel.Encoded image, Supplier<WrittenText> write) {
    var prepare = new Timings.Stage(image.prepareMillis(), image.wasKept() ? 0 : image.n());
    var encode = new Timings.Stage(image.encodeMillis(), image.wasKept() ? 0 : image.n());
    WrittenText written;
    try {
      written = write.get();
    } catch (ComputationCancelledException e) {
      return Answer.cancelled(prompt.text, new Timings(prepare, encode, NOTHING, NOTHING));
    }
    int nPrompt = prompt.ids.length;
    int nWritten = written.tokens().length;
    ImageUse use = image.wasKept() ? new ImageUse(0, 0, 1, 0) : new ImageUse(1, 0, 0, 0);
    return new Answer(
        written.text(),
        written.tokens(),
        written.reason(),
        prompt.text,
        prompt.ids,
        new Usage(nPrompt, 0, 0, nWritten, 0, use, DraftUse.NONE, 0),
        new Timings(
            prepare,
            encode,
            new Timings.Stage(written.prefillMillis(), nPrompt),
            new Timings.Stage(written.decodeMillis(), nWritten)),
        new Answer.Parts(written.text(), "", List.of(), written.logProbs(), prompt.continued, ""));
  }
}
