package dev.ocellus.cli.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.json.AnswerJson;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows an answer as it comes, with progress before its first word. */
final class AnswerPrinter implements AnswerListener {
  private final Progress progress;
  private final PrintStream out;
  private final boolean stream;
  private final List<ImageReport> images = new ArrayList<>();
  private boolean endsLine = true;
  private boolean thinking;

  /**
   * @param stream whether the text is printed as it comes, and not at all otherwise
   */
  AnswerPrinter(Progress progress, PrintStream out, boolean stream) {
    this.progress = progress;
    this.out = out;
    this.stream = stream;
  }

  /** Called before the question is asked. */
  void begin(List<Message> messages) {
    int images = messages.stream().mapToInt(m -> m.visuals().size()).sum();
    progress.start(images > 0 ? "encoding %d image(s)".formatted(images) : "processing the prompt");
  }

  @Override
  public void onImage(int index, ImageReport report) {
    images.add(report);
  }

  /** What the model saw of each image, once the prompt has been prepared. */
  List<ImageReport> images() {
    return images;
  }

  /** The answer for programs, with what the model saw of each image. */
  ObjectNode json(
      OcellusCommand command, VisionLanguageModel model, GenerationOptions options, Answer answer) {
    Pipeline pipeline = model.pipeline();
    ObjectNode json =
        GivenModel.in(
            command,
            AnswerJson.of(
                answer, options, model.options(), pipeline.decoder(), pipeline.loadMillis()));
    json.set("image_details", AnswerJson.images(images));
    return json;
  }

  @Override
  public void onPrefill(double share) {
    progress.report("processing the prompt", share);
  }

  @Override
  public void onReasoning(String text) {
    if (!thinking) {
      show("[thinking] ");
      thinking = true;
    }
    show(text);
  }

  @Override
  public void onToolCall(ToolCall call) {
    endThinking();
    show((endsLine ? "" : "\n") + "[call] " + call.name() + " " + call.arguments() + "\n");
  }

  @Override
  public void onText(String text) {
    endThinking();
    show(text);
  }

  private void endThinking() {
    if (thinking) {
      show("\n\n");
      thinking = false;
    }
  }

  private void show(String text) {
    progress.done();
    if (stream && !text.isEmpty()) {
      out.print(text);
      out.flush();
      endsLine = text.endsWith("\n");
    }
  }

  /** Ends the last line of the answer. */
  void end() {
    progress.done();
    if (stream && !endsLine) {
      out.println();
      endsLine = true;
    }
    out.flush();
  }

  /** One line about where tokens and time went. */
  static String statistics(Answer answer) {
    Timings t = answer.timings();
    return String.format(
        Locale.ROOT,
        "%d prompt tokens (%d of images, %d kept), %d answered; images %.0f ms, prompt %.0f ms (%.1f/s), answer %.0f ms (%.1f/s); ended by %s",
        answer.usage().promptTokens(),
        answer.usage().imageTokens(),
        answer.usage().cachedTokens(),
        answer.usage().completionTokens(),
        t.preprocess().millis() + t.encode().millis(),
        t.prefill().millis(),
        t.prefill().tokensPerSecond(),
        t.decode().millis(),
        t.decode().tokensPerSecond(),
        answer.stopReason().wireName());
  }
}
