package dev.ocellus.vlm.vision;

import dev.ocellus.vlm.sampling.NgramGuard;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the models of a family are asked for the text of a page, as their authors document it. A
 * family names the prompts that it has, the best one first ({@link
 * ImagePromptFormat#ocrPrompts()}).
 *
 * <pre>{@code
 * OcrPrompt.of(OcrForm.MARKDOWN, "Convert the document to markdown.")
 *     .withNotation(OcrNotation.GROUNDED)
 *     .withControlTokens("<|grounding|>")
 *     .withGuard(new NgramGuard(20, 50, Set.of("<td>", "</td>")))
 * }</pre>
 *
 * @param form what the answer is
 * @param text of the user's message, behind the image; empty where the model wants none
 * @param notation how the answer is written
 * @param controlTokens of {@code text} that are control tokens, though they stand in a message
 * @param guard against endless repetition; null if the family asks for none
 * @param onlyWith a token that the vocabulary has where this prompt is meant, as a tower is shared
 *     by families; empty for all
 * @param onlyNamed a part of the text model's name, in small letters, where this prompt is meant;
 *     empty for all
 */
public record OcrPrompt(
    OcrForm form,
    String text,
    OcrNotation notation,
    List<String> controlTokens,
    @Nullable NgramGuard guard,
    String onlyWith,
    String onlyNamed) {
  public OcrPrompt {
    controlTokens = List.copyOf(controlTokens);
  }

  /** A plain question with a plain answer. */
  public static OcrPrompt of(OcrForm form, String text) {
    return new OcrPrompt(form, text, OcrNotation.PLAIN, List.of(), null, "", "");
  }

  /** The same in other words, for what is wanted then. */
  public OcrPrompt withText(OcrForm wanted, String value) {
    return new OcrPrompt(wanted, value, notation, controlTokens, guard, onlyWith, onlyNamed);
  }

  public OcrPrompt withNotation(OcrNotation value) {
    return new OcrPrompt(form, text, value, controlTokens, guard, onlyWith, onlyNamed);
  }

  public OcrPrompt withControlTokens(String... tokens) {
    return new OcrPrompt(form, text, notation, List.of(tokens), guard, onlyWith, onlyNamed);
  }

  public OcrPrompt withGuard(NgramGuard value) {
    return new OcrPrompt(form, text, notation, controlTokens, value, onlyWith, onlyNamed);
  }

  /** For models whose vocabulary has a token. */
  public OcrPrompt onlyWith(String token) {
    return new OcrPrompt(form, text, notation, controlTokens, guard, token, onlyNamed);
  }

  /** For models whose name has a part, in small letters. */
  public OcrPrompt onlyNamed(String part) {
    return new OcrPrompt(form, text, notation, controlTokens, guard, onlyWith, part);
  }
}
