package dev.ocellus.spark;

import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.grounding.Region;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.document.Document;
import dev.ocellus.vlm.image.document.DocumentOptions;
import dev.ocellus.vlm.image.document.Documents;
import dev.ocellus.vlm.ocr.OcrOptions;
import dev.ocellus.vlm.ocr.PageReader;
import dev.ocellus.vlm.ocr.PageText;
import dev.ocellus.vlm.vision.OcrForm;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CancellationException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Reads the pages of images, TIFF files and PDF documents. Closed with the model's sessions. */
final class PageWorker implements RowWorker {
  private final PageOptions options;
  private final BlockingQueue<PageReader> readers;

  PageWorker(ChatModel chat, PageOptions options) throws IOException {
    this.options = options;
    OcrOptions ocr =
        OcrOptions.defaults()
            .withForm(options.markdown() ? OcrForm.MARKDOWN : OcrForm.TEXT)
            .withPlaces(options.places())
            .withPrompt(options.prompt());
    if (options.maxTokens() > 0) {
      GenerationOptions own = chat.model().defaultOptions();
      ocr =
          ocr.withGeneration(
              (own.equals(GenerationOptions.defaults()) ? GenerationOptions.greedy() : own)
                  .withMaxTokens(options.maxTokens()));
    }
    int n = chat.compute().parallel();
    readers = new ArrayBlockingQueue<>(n);
    for (int i = 0; i < n; i++) {
      readers.add(new PageReader(chat.model(), ocr));
    }
  }

  /** The sum of the tokens of pages. */
  private static final class Tokens {
    private int prompt;
    private int image;
    private int completion;

    void add(Answer answer) {
      prompt += answer.usage().promptTokens();
      image += answer.usage().imageTokens();
      completion += answer.usage().completionTokens();
    }
  }

  @Override
  public Object[] answer(ImageFile file, Seen seen) throws Exception {
    DocumentOptions documents =
        DocumentOptions.defaults().withDpi(options.dpi()).withLimits(file.limits());
    try (Document document = Documents.open(file.bytes(), file.name(), documents)) {
      List<Row> pages = new ArrayList<>();
      List<String> texts = new ArrayList<>();
      Tokens tokens = new Tokens();
      int n = Math.min(document.nPages(), options.maxPages());
      for (int number = 1; number <= n; number++) {
        RgbImage image = document.page(number);
        if (number == 1) {
          seen.size(image.width(), image.height());
        }
        PageText page = read(image, seen);
        tokens.add(page.answer());
        texts.add(page.text());
        pages.add(row(page, image));
      }
      seen.tokens(tokens.prompt, tokens.completion, 0);
      return new Object[] {
        String.join("\n\n", texts),
        pages.toArray(Row[]::new),
        document.nPages(),
        tokens.prompt,
        tokens.image,
        tokens.completion
      };
    }
  }

  private PageText read(RgbImage image, Seen seen) throws InterruptedException {
    PageReader reader = readers.take();
    try {
      PageText page = reader.read(image, new Watch(seen));
      if (page.answer().stopReason() == StopReason.CANCELLED) {
        throw new CancellationException("the page was cancelled");
      }
      return page;
    } finally {
      readers.add(reader);
    }
  }

  private static Row row(PageText page, RgbImage image) {
    List<Row> regions = new ArrayList<>();
    for (Region region : page.regions()) {
      Row[] points =
          region.points().stream().map(p -> RowFactory.create(p.x(), p.y())).toArray(Row[]::new);
      regions.add(
          RowFactory.create(region.kind().name().toLowerCase(Locale.ROOT), region.label(), points));
    }
    return RowFactory.create(
        page.text(),
        regions.toArray(Row[]::new),
        image.width(),
        image.height(),
        page.answer().stopReason().wireName());
  }

  private record Watch(Seen seen) implements AnswerListener {
    @Override
    public void onImage(int index, ImageReport report) {
      seen.requireWanted();
    }

    @Override
    public void onText(String text) {
      seen.requireWanted();
    }
  }
}
