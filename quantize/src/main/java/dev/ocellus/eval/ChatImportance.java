package dev.ocellus.eval;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.quantize.imatrix.ImportanceCollector;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.generate.ScoredConversation;
import dev.ocellus.vlm.json.Conversations;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.util.List;

/**
 * Gathers from conversations which weights matter, in the text model and in the image encoder: the
 * prompt with its images, and the answer that the model gives with its likeliest tokens.
 */
public final class ChatImportance {
  private ChatImportance() {}

  /**
   * @param maxTokens most tokens of an answer
   * @param processOutput whether the output layer is observed too
   * @throws dev.ocellus.compute.ComputationCancelledException if the flag was set; what was
   *     gathered stays in the collector
   */
  public static void collect(
      LoadOptions options,
      List<Conversations> files,
      int maxTokens,
      boolean processOutput,
      ImportanceCollector collector,
      EvalListener listener,
      CancellationFlag flag)
      throws IOException {
    listener.report("loading " + options.model().getFileName(), -1);
    try (Pipeline pipeline = Pipeline.open(options)) {
      VisionEncoder encoder = pipeline.encoder();
      if (encoder != null) {
        encoder.observe(collector.anyWeight());
      }
      try (var scorer = new ScoredConversation(pipeline, collector.text(1, processOutput))) {
        for (Conversations all : files) {
          collector.addDataset(all.name());
          for (int i = 0; i < all.size(); i++) {
            listener.report(
                "conversation %d of %d".formatted(i + 1, all.size()), (double) i / all.size());
            scorer.answer(all.get(i), maxTokens, (index, token, logits) -> {}, flag);
          }
        }
      }
    }
  }
}
