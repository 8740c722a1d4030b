package dev.ocellus.vlm.decode;

import dev.ocellus.Setting;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.options.ModelMismatchException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/** Loads the small model that proposes draft tokens for another. */
public final class DraftModel {
  private DraftModel() {}

  /**
   * Loads it, and makes sure that its tokens mean the same.
   *
   * @throws ModelMismatchException if they do not
   */
  public static LlamaModel load(Path file, LoadOptions options, Vocab target) throws IOException {
    LlamaModel draft = LlamaModel.load(file, options.modelOptions().withProgress(share -> true));
    try {
      check(draft.vocab(), target, file, options.model());
      return draft;
    } catch (Throwable e) {
      draft.close();
      throw e;
    }
  }

  private static void check(Vocab draft, Vocab target, Path file, Path targetFile) {
    if (draft.nTokens() != target.nTokens()) {
      throw new ModelMismatchException(
              "The draft model %s has %d tokens, and %s has %d. Use a draft model of the same family and vocabulary."
                  .formatted(file, draft.nTokens(), targetFile, target.nTokens()))
          .about(Setting.DRAFT_MODEL);
    }
    for (int id = 0; id < target.nTokens(); id++) {
      if (!Arrays.equals(draft.piece(id, true), target.piece(id, true))) {
        throw new ModelMismatchException(
                "Token %d is '%s' in the draft model %s and '%s' in %s. Use a draft model of the same family and vocabulary."
                    .formatted(id, draft.text(id), file, target.text(id), targetFile))
            .about(Setting.DRAFT_MODEL);
      }
    }
  }
}
