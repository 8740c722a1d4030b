package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.ConvertReport;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.vlm.ChatSession;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Answer;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** That the values and answers are the reference's is ConversionTest's to show. */
class Llama4Test extends VisionEncoderContract {
  private static final GenerationOptions TWELVE =
      GenerationOptions.greedy().withMaxTokens(12).withIgnoreEos(true);

  private ConvertReport convert(String model) throws IOException {
    return Converter.convert(
        Path.of("golden/models", model, "hf"),
        ConvertOptions.defaults()
            .withTypes(OutputType.F32, OutputType.F32)
            .withOutput(directory.resolve(model + ".gguf"), null),
        ConvertProgress.NONE);
  }

  @Override
  Path mmproj() throws IOException {
    Path file = directory.resolve("mmproj-llama4-odd.gguf");
    if (!Files.exists(file)) {
      convert("llama4-odd");
    }
    return file;
  }

  @Override
  String requiredWeight() {
    return "v.blk.0.attn_q.weight";
  }

  @Override
  List<RgbImage> alikeImages() {
    return List.of(Golden.noise(120, 84, 1), Golden.noise(120, 84, 2));
  }

  @Test
  void takesFewerTilesForFewerTokens() throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj(), 1, false)) {
      RgbImage image = Golden.noise(96, 96, 1);
      ImageInput all = encoder.prepare(image, ImageOptions.DEFAULT);
      ImageInput three = encoder.prepare(image, ImageOptions.ofTokens(0, 12));
      ImageInput one = encoder.prepare(image, ImageOptions.ofTokens(0, 4));
      assertThat(all.nTiles()).isEqualTo(5);
      assertThat(all.nTokens()).isEqualTo(20);
      assertThat(three.nTokens()).isLessThan(13);
      assertThat(one.nTokens()).isEqualTo(4);
    }
  }

  private VisionLanguageModel open(Path text, Path mmproj) throws IOException {
    return VisionLanguageModel.open(
        LoadOptions.of(text, mmproj)
            .withContextOptions(
                ContextOptions.defaults()
                    .withContext(512)
                    .withBatch(64, 8)
                    .withThreads(1, 1)
                    .withCache(TensorType.F32, TensorType.F32)));
  }

  private static int[] fresh(VisionLanguageModel model, List<Message> messages) {
    try (ChatSession chat = model.newChat()) {
      return chat.complete(messages, TWELVE, AnswerListener.NONE).tokens();
    }
  }

  private static RgbImage image() throws IOException {
    return ImageDecoder.decode(Path.of("golden/images/odd_97x61.png"));
  }

  /**
   * Chunks of 24 tokens, of which a conversation has several, and the way to them does not count.
   */
  @Test
  void answersAsAFreshContextWhateverTheWay() throws IOException {
    Path mmproj = mmproj();
    try (VisionLanguageModel model = open(directory.resolve("llama4-odd.gguf"), mmproj);
        ChatSession chat = model.newChat()) {
      Message first = Message.user("What is this?", image());
      Message second = Message.user("More words, and some more of them.");
      for (Message message : List.of(first, second)) {
        Answer answer = chat.send(message, TWELVE, AnswerListener.NONE);
        List<Message> asked = chat.history().subList(0, chat.history().size() - 1);
        assertThat(answer.tokens()).isEqualTo(fresh(model, asked));
      }
      chat.undo();
      Answer again = chat.send(second, TWELVE, AnswerListener.NONE);
      assertThat(again.tokens())
          .isEqualTo(fresh(model, chat.history().subList(0, chat.history().size() - 1)));
      Path file = directory.resolve("saved.session");
      chat.save(file);
      try (ChatSession other = model.newChat()) {
        other.restore(file);
        assertThat(other.send(second, TWELVE, AnswerListener.NONE).tokens())
            .isEqualTo(chat.send(second, TWELVE, AnswerListener.NONE).tokens());
      }
    }
  }

  /** Beams stand at other places of the cache than in their texts. */
  @Test
  void searchesBeamsInChunksOfTheText() throws IOException {
    Path mmproj = mmproj();
    try (VisionLanguageModel model = open(directory.resolve("llama4-odd.gguf"), mmproj)) {
      List<Message> asked = List.of(Message.user("What is this?", image()));
      try (ChatSession chat = model.newChat()) {
        Answer best = chat.complete(asked, TWELVE.withBeams(3), AnswerListener.NONE);
        Answer one = chat.complete(asked, TWELVE.withBeams(1), AnswerListener.NONE);
        assertThat(best.tokens()).hasSize(12);
        assertThat(one.tokens()).isEqualTo(fresh(model, asked));
      }
    }
  }

  /** The same weights by libllama, and by the graph for files that say what is special. */
  @Test
  void givesTheSameTokensInBothWays() throws IOException {
    ConvertReport report = convert("llama4-usual");
    assertThat(report.warnings()).noneMatch(w -> w.contains("llama.cpp"));
    Path text = directory.resolve("llama4-usual.gguf");
    Path own = directory.resolve("own.gguf");
    try (GgufFile file = GgufFile.open(text)) {
      assertThat(file.metadata().contains("llama4.attention.chunk_size")).isFalse();
      GgufWriter writer = new GgufWriter().putAll(file.metadata());
      writer.u32("llama4.attention.chunk_size", 8192);
      file.tensors().forEach(writer::tensor);
      writer.write(own);
    }
    List<Message> asked = List.of(Message.user("What is this?", image()));
    Path mmproj = directory.resolve("mmproj-llama4-usual.gguf");
    try (VisionLanguageModel byLibllama = open(text, mmproj);
        VisionLanguageModel byGraph = open(own, mmproj)) {
      assertThat(fresh(byGraph, asked)).isEqualTo(fresh(byLibllama, asked));
    }
  }

  @Test
  void tellsThatLlamaCppWouldComputeItOtherwise() throws IOException {
    assertThat(convert("llama4-odd").warnings()).anyMatch(w -> w.contains("llama.cpp"));
  }
}
