package dev.ocellus.spark;

import dev.ocellus.OcellusException;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the library answers, without Spark. */
final class OneProcess {
  private OneProcess() {}

  /** Answers by file name; "!" for files that are no images. */
  static Map<String, String> answers(List<Path> files, String prompt) throws IOException {
    Map<String, String> answers = new TreeMap<>();
    try (var model = VisionLanguageModel.open(DemoModel.files());
        ChatSession session = model.newChat()) {
      for (Path file : files) {
        answers.put(file.getFileName().toString(), answer(session, file, prompt));
      }
    }
    return answers;
  }

  private static String answer(ChatSession session, Path file, String prompt) throws IOException {
    RgbImage image;
    try {
      image = ImageDecoder.decode(file);
    } catch (OcellusException e) {
      return "!";
    }
    List<Content> parts = List.of(new Content.Image(image, ""), new Content.Text(prompt));
    return session
        .complete(List.of(Message.user(parts)), GenerationOptions.greedy(), AnswerListener.NONE)
        .content();
  }
}
