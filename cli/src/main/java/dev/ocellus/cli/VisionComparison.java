package dev.ocellus.cli;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.quantize.measure.ComparisonReport.Named;
import dev.ocellus.quantize.measure.Divergence;
import dev.ocellus.quantize.measure.TextComparison;
import dev.ocellus.quantize.measure.VectorError;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.generate.ScoredConversation;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageInput;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Compares two models on images: their image encoders, and their answers. */
final class VisionComparison {
  record Encoders(List<Named> layers, List<Named> images) {}

  record Chats(Divergence.Result divergence, int sameAnswers, int count) {}

  private final Verb verb;
  private final ModelMixin model;
  private final Progress progress;
  private final CancellationFlag flag;

  VisionComparison(Verb verb, ModelMixin model, Progress progress, CancellationFlag flag) {
    this.verb = verb;
    this.model = model;
    this.progress = progress;
    this.flag = flag;
  }

  /** Layers and embeddings of images; layers of the first tiles only. */
  Encoders encoders(Path a, Path b, List<Path> images) throws IOException {
    ContextOptions context = verb.checked(model::contextOptions);
    boolean gpu = verb.checked(model::modelOptions).nGpuLayers() != 0;
    Map<String, VectorError.Sums> layers = new LinkedHashMap<>();
    List<Named> embeddings = new ArrayList<>();
    if (images.isEmpty()) {
      return new Encoders(List.of(), List.of());
    }
    progress.start("loading");
    try (var first = VisionEncoder.open(a, context.nThreadsBatch(), gpu);
        var second = VisionEncoder.open(b, context.nThreadsBatch(), gpu)) {
      for (int i = 0; i < images.size(); i++) {
        if (flag.isCancelled()) {
          break;
        }
        progress.report(
            "image %d of %d".formatted(i + 1, images.size()), (double) i / images.size());
        ImageInput input = first.prepare(ImageDecoder.decode(images.get(i)));
        Map<String, float[]> other = second.intermediates(input);
        first
            .intermediates(input)
            .forEach((name, values) -> {
              float[] theirs = other.get(name);
              if (theirs != null && theirs.length == values.length) {
                layers.computeIfAbsent(name, n -> new VectorError.Sums()).add(values, theirs);
              }
            });
        embeddings.add(
            new Named(
                images.get(i).toString(),
                VectorError.of(first.encode(input).rows(), second.encode(input).rows())));
      }
    }
    List<Named> named = new ArrayList<>();
    layers.forEach((name, sums) -> named.add(new Named(name, sums.error())));
    return new Encoders(named, embeddings);
  }

  /** The reference answers with its likeliest tokens; the other is asked what it thinks of them. */
  Chats chats(Path a, Path b, @Nullable Path mmprojB, String file, int nPredict)
      throws IOException {
    Conversations all = Conversations.read(verb.io(), file);
    var divergence = new Divergence();
    int same = 0;
    progress.start("loading");
    try (var first = VisionLanguageModel.open(options(a, model.mmproj));
        var second = VisionLanguageModel.open(options(b, mmprojB))) {
      TextComparison.requireSameVocabulary(first.textModel(), second.textModel());
      try (var scorerA = new ScoredConversation(first.pipeline(), null);
          var scorerB = new ScoredConversation(second.pipeline(), null)) {
        for (int i = 0; i < all.size(); i++) {
          progress.report(
              "conversation %d of %d".formatted(i + 1, all.size()), (double) i / all.size());
          List<Message> messages = all.get(i);
          List<float[]> expected = new ArrayList<>();
          int[] answer =
              scorerA.answer(
                  messages, nPredict, (index, token, logits) -> expected.add(logits.clone()), flag);
          boolean[] differs = new boolean[1];
          scorerB.repeat(
              messages,
              answer,
              (index, token, logits) -> {
                divergence.add(expected.get(index), logits, token);
                differs[0] |= likeliest(logits) != token;
              },
              flag);
          same += differs[0] ? 0 : 1;
        }
      }
    }
    return new Chats(divergence.result(), same, all.size());
  }

  private static int likeliest(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    return best;
  }

  private LoadOptions options(Path text, @Nullable Path mmproj) {
    ModelOptions modelOptions = verb.checked(model::modelOptions);
    ContextOptions context = verb.checked(model::contextOptions);
    return new LoadOptions(text, mmproj, modelOptions, context, null)
        .withImageOptions(verb.checked(model::imageOptions));
  }
}
