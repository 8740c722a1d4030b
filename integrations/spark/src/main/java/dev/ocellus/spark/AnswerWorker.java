package dev.ocellus.spark;

import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.StopReason;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.sampling.SamplingOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataType;

/** Answers a question about each image. */
final class AnswerWorker implements RowWorker {
  private final ChatModel chat;
  private final AnswerRequest request;
  private final GenerationOptions generation;

  AnswerWorker(ChatModel chat, AnswerRequest request) {
    this.chat = chat;
    this.request = request;
    this.generation = generation(chat.model(), request.options());
  }

  /**
   * As the model's checkpoint asks for, else the likeliest tokens, unless options say otherwise.
   */
  private static GenerationOptions generation(VisionLanguageModel model, AnswerOptions options) {
    GenerationOptions own = model.defaultOptions();
    boolean isOwn = options.temperature() == 0 && options.jsonSchema() == null;
    GenerationOptions base =
        isOwn && !own.equals(GenerationOptions.defaults()) ? own : GenerationOptions.greedy();
    base = base.withMaxTokens(options.maxTokens());
    if (!options.stop().isEmpty()) {
      base = base.withStop(options.stop());
    }
    String schema = options.jsonSchema();
    return schema == null ? base : base.withJsonSchema(schema);
  }

  private GenerationOptions generation(ImageFile file) {
    AnswerOptions options = request.options();
    if (options.temperature() == 0) {
      return generation;
    }
    return generation.withSampling(
        SamplingOptions.builder()
            .temperature(options.temperature())
            .topK(options.topK())
            .topP(options.topP())
            .minP(0)
            .seed(file.seed(options.seed()))
            .build());
  }

  private List<Message> messages(ImageFile file, RgbImage image) {
    List<Message> messages = new ArrayList<>();
    String system = request.options().system();
    if (system != null) {
      messages.add(Message.system(system));
    }
    String prompt = file.prompt() != null ? file.prompt() : request.options().prompt();
    List<Content> parts = new ArrayList<>();
    parts.add(new Content.Image(image, file.name()));
    parts.add(new Content.Text(prompt == null ? "" : prompt));
    messages.add(Message.user(parts));
    return messages;
  }

  @Override
  public Object[] answer(ImageFile file, Seen seen) throws Exception {
    List<Message> messages = messages(file, file.decode(seen));
    Watch watch = new Watch(seen);
    Answer answer = chat.turn(s -> s.complete(messages, generation(file), watch));
    if (answer.stopReason() == StopReason.CANCELLED) {
      throw new CancellationException("the answer was cancelled");
    }
    ImageUse images = answer.usage().images();
    int hits = images.fromContext() + images.fromMemory() + images.fromDisk();
    seen.tokens(answer.usage().promptTokens(), answer.usage().completionTokens(), hits);
    return values(answer, watch.tiles);
  }

  private Object[] values(Answer answer, List<Row> tiles) throws RowFailure.Thrown {
    List<Object> values = new ArrayList<>();
    values.add(answer.content());
    DataType json = request.jsonType();
    if (json != null) {
      values.add(JsonValues.read(answer.content(), json));
    }
    values.add(answer.stopReason().wireName());
    values.add(answer.usage().promptTokens());
    values.add(answer.usage().imageTokens());
    values.add(answer.usage().cachedTokens());
    values.add(answer.usage().completionTokens());
    values.add(tiles.toArray(Row[]::new)); // arrays and no lists are what rows hold
    return values.toArray();
  }

  /** Notes what the model sees, and stops where nobody waits. */
  private static final class Watch implements AnswerListener {
    private final Seen seen;
    private final List<Row> tiles = new ArrayList<>();

    Watch(Seen seen) {
      this.seen = seen;
    }

    @Override
    public void onImage(int index, ImageReport report) {
      seen.requireWanted();
      for (ImageSize size : report.tiles()) {
        tiles.add(RowFactory.create(size.width(), size.height()));
      }
    }

    @Override
    public void onPrefill(double share) {
      seen.requireWanted();
    }

    @Override
    public void onText(String text) {
      seen.requireWanted();
    }
  }
}
