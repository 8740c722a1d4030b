package dev.ocellus.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.AudioContent;
import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.PdfFileContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.ocellus.testkit.DrawnImages;
import dev.ocellus.testkit.PrintedPages;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Images in every form, seen by the embedded model. */
class ImagesTest {
  private static VisionLanguageModel demo;

  @TempDir Path folder;

  @BeforeAll
  static void open() throws IOException {
    demo = VisionLanguageModel.open(DemoModel.files());
  }

  @AfterAll
  static void close() {
    demo.close();
  }

  private static String ask(OcellusChatModel model, ImageContent image) {
    return model
        .chat(UserMessage.from(TextContent.from("Describe the picture."), image))
        .aiMessage()
        .text();
  }

  private static OcellusChatModel.Builder builder() {
    return OcellusChatModel.builder().model(demo).temperature(0.0);
  }

  @Test
  void seesAnImageHoweverItIsGiven() throws IOException {
    byte[] png = DrawnImages.redCircle();
    String base64 = Base64.getEncoder().encodeToString(png);
    Path file = Files.write(folder.resolve("circle.png"), png);
    List<URI> asked = new ArrayList<>();
    OcellusChatModel model =
        builder()
            .imageLoader(address -> {
              asked.add(address);
              return png;
            })
            .build();
    String answer = ask(model, ImageContent.from(base64, "image/png"));
    assertThat(answer).contains("circle").contains("red");
    assertThat(ask(model, ImageContent.from("data:image/png;base64," + base64))).isEqualTo(answer);
    assertThat(ask(model, ImageContent.from(file.toUri()))).isEqualTo(answer);
    assertThat(ask(model, ImageContent.from("https://example.org/a.png"))).isEqualTo(answer);
    assertThat(asked).containsExactly(URI.create("https://example.org/a.png"));
  }

  @Test
  void fetchesNothingUnlessToldHow() {
    assertThatThrownBy(
            () -> ask(builder().build(), ImageContent.from("http://169.254.169.254/latest")))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("imageLoader");
  }

  @Test
  void refusesWhatIsNoImage() {
    OcellusChatModel model = builder().build();
    assertThatThrownBy(() -> ask(model, ImageContent.from("bm90IGFuIGltYWdl", "image/png")))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> ask(model, ImageContent.from("data:image/png,abc")))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("base64");
    assertThatThrownBy(() -> read(model, "bm90IGEgZG9jdW1lbnQ="))
        .isInstanceOf(InvalidRequestException.class);
    assertThatThrownBy(() -> model.chat(UserMessage.from(AudioContent.from("AAAA", "audio/wav"))))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("AUDIO");
  }

  private static String read(OcellusChatModel model, String pdf) {
    return model
        .chat(
            UserMessage.from(
                PdfFileContent.from(pdf, "application/pdf"),
                TextContent.from("Describe the picture.")))
        .aiMessage()
        .text();
  }

  @Test
  void seesThePagesOfADocument() {
    OcellusChatModel model = builder().build();
    assertThat(read(model, base64(PrintedPages.ofRedCircles(1)))).contains("red circle");
    assertThatThrownBy(() -> read(model, base64(PrintedPages.ofRedCircles(17))))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageContaining("17 pages");
  }

  private static String base64(byte[] file) {
    return Base64.getEncoder().encodeToString(file);
  }

  @Test
  void aFurtherTurnUsesWhatStandsInTheContext() throws IOException {
    OcellusChatModel model = builder().modelName("demo").build();
    var first =
        UserMessage.from(
            TextContent.from("Describe the picture."),
            ImageContent.from(
                Base64.getEncoder().encodeToString(DrawnImages.redCircle()), "image/png"));
    var answer = model.chat(first);
    var second = model.chat(first, answer.aiMessage(), UserMessage.from("What colour is it?"));
    assertThat(second.aiMessage().text()).contains("red");
    assertThat(second.metadata().modelName()).isEqualTo("demo");
  }
}
