package dev.ocellus.vlm.ocr;

import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.vision.OcrForm;
import org.jspecify.annotations.Nullable;

/**
 * How pages are read.
 *
 * @param form what is wanted; where the family has one form only, that comes
 * @param places whether to ask for places, where the family gives them
 * @param prompt what to ask instead of the family's own prompt; null for that
 * @param guarded whether the family's guard against endless repetition is used
 * @param generation how the text is generated; null for as the checkpoint asks for, else greedily
 */
public record OcrOptions(
    OcrForm form,
    boolean places,
    @Nullable String prompt,
    boolean guarded,
    @Nullable GenerationOptions generation) {
  /** Markdown without places, by the family's own prompt. */
  public static OcrOptions defaults() {
    return new OcrOptions(OcrForm.MARKDOWN, false, null, true, null);
  }

  public OcrOptions withForm(OcrForm value) {
    return new OcrOptions(value, places, prompt, guarded, generation);
  }

  public OcrOptions withPlaces(boolean value) {
    return new OcrOptions(form, value, prompt, guarded, generation);
  }

  public OcrOptions withPrompt(@Nullable String value) {
    return new OcrOptions(form, places, value, guarded, generation);
  }

  public OcrOptions withGuarded(boolean value) {
    return new OcrOptions(form, places, prompt, value, generation);
  }

  public OcrOptions withGeneration(@Nullable GenerationOptions value) {
    return new OcrOptions(form, places, prompt, guarded, value);
  }
}
