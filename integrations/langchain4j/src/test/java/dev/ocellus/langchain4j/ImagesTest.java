package dev.ocellus.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.PdfFileContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;
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

  /** A red circle on white. */
  private static byte[] redCircle() throws IOException {
    var image = new BufferedImage(192, 192, BufferedImage.TYPE_INT_RGB);
    var g = image.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, 192, 192);
    g.setColor(Color.RED);
    g.fillOval(38, 38, 116, 116);
    g.dispose();
    var out = new ByteArrayOutputStream();
    ImageIO.write(image, "png", out);
    return out.toByteArray();
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
    byte[] png = redCircle();
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
    assertThatThrownBy(
            () -> model.chat(UserMessage.from(PdfFileContent.from("JVBERg==", "application/pdf"))))
        .isInstanceOf(UnsupportedFeatureException.class)
        .hasMessageContaining("PDF");
  }

  @Test
  void aFurtherTurnUsesWhatStandsInTheContext() throws IOException {
    OcellusChatModel model = builder().modelName("demo").build();
    var first =
        UserMessage.from(
            TextContent.from("Describe the picture."),
            ImageContent.from(Base64.getEncoder().encodeToString(redCircle()), "image/png"));
    var answer = model.chat(first);
    var second = model.chat(first, answer.aiMessage(), UserMessage.from("What colour is it?"));
    assertThat(second.aiMessage().text()).contains("red");
    assertThat(second.metadata().modelName()).isEqualTo("demo");
  }
}
