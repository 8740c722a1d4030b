package dev.ocellus.vlm.ocr;

import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.OcrForm;
import dev.ocellus.vlm.vision.OcrNotation;
import dev.ocellus.vlm.vision.OcrPrompt;
import dev.ocellus.vlm.vision.UnsupportedContentException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Reads pages with a model.
 *
 * <pre>{@code
 * try (var model = VisionLanguageModel.open(LoadOptions.of(text, mmproj));
 *     var reader = new PageReader(model, OcrOptions.defaults());
 *     Document pdf = Documents.open(Path.of("letter.pdf"), DocumentOptions.defaults())) {
 *   for (int page = 1; page <= pdf.nPages(); page++) {
 *     System.out.println(reader.read(pdf.page(page)).text());
 *   }
 * }
 * }</pre>
 *
 * <p>For one caller at a time; {@link #cancel} may come from anywhere.
 */
public final class PageReader implements AutoCloseable {
  private final VisionLanguageModel model;
  private final OcrPrompt prompt;
  private final GenerationOptions generation;
  private final ChatSession session;

  /**
   * A reader of pages.
   *
   * @param model stays open when this is closed
   * @throws IOException if the model's file cannot be read
   * @throws UnsupportedContentException if the model takes no images, or its family has no prompt
   *     for pages and the options give none
   */
  public PageReader(VisionLanguageModel model, OcrOptions options) throws IOException {
    this.model = model;
    this.prompt = prompt(model, options);
    this.generation = generation(model, options, prompt);
    this.session = model.newChat();
  }

  private static OcrPrompt prompt(VisionLanguageModel model, OcrOptions options)
      throws IOException {
    VisionEncoder encoder = model.encoder().orElse(null);
    if (encoder == null) {
      throw new UnsupportedContentException(
              "The model %s takes no images, and so reads no pages. Load it with its image encoder."
                  .formatted(model.pipeline().decoder().description()))
          .about(Setting.MMPROJ);
    }
    List<OcrPrompt> known = of(model, encoder.architecture().promptFormat().ocrPrompts());
    String own = options.prompt();
    if (own != null) {
      return asked(own, known, options.form());
    }
    return known.stream()
        .min(
            Comparator.comparing((OcrPrompt p) -> p.form() != options.form())
                .thenComparing(p -> hasPlaces(p) != options.places()))
        .orElseThrow(() ->
            new UnsupportedContentException(
                    "Models of the family %s have no prompt of their own for reading pages. Give one, such as: Read all the text in the image."
                        .formatted(encoder.architecture().name()))
                .about(Setting.OCR_PROMPT));
  }

  /**
   * A prompt in words that are not the family's: the model answers in the notation that it knows
   * all the same, and is guarded as before.
   */
  private static OcrPrompt asked(String text, List<OcrPrompt> known, OcrForm form) {
    return known.stream()
        .min(
            Comparator.comparing((OcrPrompt p) -> !p.text().equals(text))
                .thenComparing(p -> !hasPlaces(p)))
        .map(p -> p.withText(form, text))
        .orElseGet(() -> OcrPrompt.of(form, text));
  }

  private static boolean hasPlaces(OcrPrompt prompt) {
    return prompt.notation() != OcrNotation.PLAIN;
  }

  /** Those of a family that are meant for this model, the special ones first. */
  private static List<OcrPrompt> of(VisionLanguageModel model, List<OcrPrompt> all)
      throws IOException {
    String name = name(model);
    List<OcrPrompt> special = new ArrayList<>();
    List<OcrPrompt> general = new ArrayList<>();
    for (OcrPrompt prompt : all) {
      boolean isSpecial = !prompt.onlyWith().isEmpty() || !prompt.onlyNamed().isEmpty();
      if (!isSpecial) {
        general.add(prompt);
      } else if (hasToken(model, prompt.onlyWith()) && name.contains(prompt.onlyNamed())) {
        special.add(prompt);
      }
    }
    return special.isEmpty() ? general : special;
  }

  private static boolean hasToken(VisionLanguageModel model, String token) {
    return token.isEmpty() || model.pipeline().decoder().vocab().tokenize(token, true).length == 1;
  }

  private static String name(VisionLanguageModel model) throws IOException {
    try (GgufFile file = GgufFile.open(model.options().model())) {
      String name = file.metadata().string("general.name", "");
      return (name + " " + model.options().model().getFileName()).toLowerCase(Locale.ROOT);
    }
  }

  private static GenerationOptions generation(
      VisionLanguageModel model, OcrOptions options, OcrPrompt prompt) {
    GenerationOptions wanted = options.generation();
    if (wanted == null) {
      GenerationOptions own = model.defaultOptions();
      wanted = own.equals(GenerationOptions.defaults()) ? GenerationOptions.greedy() : own;
    }
    if (options.guarded() && prompt.guard() != null && wanted.beams() == null) {
      wanted = wanted.withNgramGuard(prompt.guard());
    }
    return wanted.withPrompt(wanted.prompt().withControlTokens(Set.copyOf(prompt.controlTokens())));
  }

  /** What the answers are, which may not be what was wanted. */
  public OcrForm form() {
    return prompt.form();
  }

  /** What the model is asked. */
  public String prompt() {
    return prompt.text();
  }

  /** Whether what a listener hears is the text itself, and not the notation of the family. */
  public boolean streamsText() {
    return prompt.notation() == OcrNotation.PLAIN;
  }

  /** Reads a page. */
  public PageText read(RgbImage page) {
    return read(page, AnswerListener.NONE);
  }

  /**
   * Reads a page.
   *
   * @param listener told of the model's answer as it is written
   * @throws dev.ocellus.OcellusException if it cannot be prepared, or does not fit the context
   */
  public PageText read(RgbImage page, AnswerListener listener) {
    List<Content> parts = new ArrayList<>();
    parts.add(new Content.Image(page, ""));
    if (!prompt.text().isEmpty()) {
      parts.add(new Content.Text(prompt.text()));
    }
    Answer answer = session.complete(List.of(Message.user(parts)), generation, listener);
    return switch (prompt.notation()) {
      case PLAIN -> new PageText(answer.content(), List.of(), answer);
      case TASK -> TaskText.read(model, answer, page);
      case GROUNDED -> GroundedText.read(model.allText(answer), answer, page.size());
      case DOCTAGS -> new DocTags(model.allText(answer), page.size()).read(answer);
    };
  }

  /** Stops what is being read; a page that has begun keeps what was read of it. */
  public void cancel() {
    session.cancel();
  }

  @Override
  public void close() {
    session.close();
  }
}
