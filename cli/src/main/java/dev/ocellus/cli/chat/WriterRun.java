package dev.ocellus.cli.chat;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.OcellusException;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.chat.StopReason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Describe and chat with a model that writes about one image and is no chat model. */
final class WriterRun {
  private final OcellusCommand command;
  private final ImageWriter writer;
  private final GenerationOptions options;

  WriterRun(OcellusCommand command, ImageWriter writer, GenerationMixin generation) {
    this.command = command;
    this.writer = writer;
    options = command.checked(() -> generation.applyOnce(writer.defaults()));
  }

  /** One text about each image. */
  int describe(
      List<ImageSource> images,
      VideoMixin video,
      Content.@Nullable Image only,
      @Nullable String system,
      @Nullable String prompt)
      throws IOException {
    if (!video.paths.isEmpty()) {
      throw command.usage("this model takes images and no videos");
    }
    if (system != null) {
      throw command.usage("this model takes no system message (--system)");
    }
    String text = prompt == null ? writer.defaultText() : prompt;
    writer.noteCut(command, text);
    ArrayNode results = Json.array();
    int code = ExitCode.OK;
    boolean one = images.size() == 1;
    try (var interrupt = new Interrupt();
        var progress = command.progress()) {
      for (ImageSource source : images) {
        ObjectNode result = Json.object().put("image", source.toString());
        try {
          Content.Image shown = only != null ? only : source.read(command.io());
          if (!one && !command.printsJson()) {
            command.io().out().print(source + ": ");
          }
          Answer answer = write(shown, text, progress, interrupt);
          result.setAll(GivenModel.in(command, writer.json(answer, options)));
          if (answer.stopReason() == StopReason.CANCELLED) {
            interrupt.check();
          }
        } catch (IOException | OcellusException e) {
          if (one) {
            throw e;
          }
          result.put("error", command.failed(source.toString(), e));
          code = ExitCode.FAILED;
        }
        results.add(result);
      }
    }
    if (command.printsJson()) {
      command.printJson(results);
    }
    return code;
  }

  /** The text about the one image of a message. */
  int chat(List<Message> messages) throws IOException {
    Message asked = messages.size() == 1 ? messages.getFirst() : null;
    if (asked == null || asked.role() != Role.USER || asked.visuals().size() != 1) {
      throw command.usage(
          "this model cannot converse: it takes one message with one image (--image) and maybe a"
              + " text (-p)");
    }
    Content.Image shown = null;
    List<String> texts = new ArrayList<>();
    for (Content part : asked.content()) {
      switch (part) {
        case Content.Image image -> shown = image;
        case Content.Text(String text) -> texts.add(text);
        case Content.Video video -> throw command.usage("this model takes images and no videos");
      }
    }
    if (shown == null) {
      throw command.usage("this model needs an image (--image)");
    }
    String text = texts.isEmpty() ? writer.defaultText() : String.join("\n", texts);
    writer.noteCut(command, text);
    try (var interrupt = new Interrupt();
        var progress = command.progress()) {
      Answer answer = write(shown, text, progress, interrupt);
      if (command.printsJson()) {
        command.printJson(GivenModel.in(command, writer.json(answer, options)));
      }
      return answer.stopReason() == StopReason.CANCELLED ? ExitCode.INTERRUPTED : ExitCode.OK;
    }
  }

  private Answer write(Content.Image shown, String text, Progress progress, Interrupt interrupt) {
    CancellationFlag flag = new CancellationFlag();
    interrupt.onInterrupt(flag::cancel);
    var printer = new AnswerPrinter(progress, command.io().out(), !command.printsJson());
    printer.begin(List.of(Message.user(List.of(shown))));
    Answer answer;
    try {
      printer.onText(writer.beginning(text));
      answer = writer.write(shown.image(), text, options, printer, flag);
    } finally {
      printer.end();
    }
    if (command.isVerbose()) {
      command.note(AnswerPrinter.statistics(answer));
    }
    return answer;
  }
}
