package dev.ocellus.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.testkit.DrawnImages;
import dev.ocellus.testkit.PrintedPages;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.options.LoadOptions;
import dev.ocellus.vlm.prompt.PromptException;
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
import org.springframework.ai.chat.client.AdvisorParams;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.chat.messages.UserMessage;
import org.springframework.ai.chat.prompt.Prompt;
import org.springframework.ai.content.Media;
import org.springframework.core.io.ByteArrayResource;
import org.springframework.util.MimeType;
import org.springframework.util.MimeTypeUtils;

/** Media in every form that Spring AI has for them, seen by the embedded model. */
class ImagesTest {
  private static final MimeType PNG = MimeTypeUtils.IMAGE_PNG;

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

  private static OcellusChatModel.Builder builder() {
    return OcellusChatModel.builder()
        .model(demo)
        .options(OcellusChatOptions.builder().temperature(0.0).build());
  }

  private static String ask(OcellusChatModel model, Media... media) {
    var question = UserMessage.builder().text("Describe the picture.").media(media).build();
    String text = model.call(new Prompt(question)).getResults().getFirst().getOutput().getText();
    return text == null ? "" : text;
  }

  @Test
  void seesAnImageHoweverItIsGiven() throws IOException {
    byte[] png = DrawnImages.redCircle();
    String base64 = Base64.getEncoder().encodeToString(png);
    Path file = Files.write(folder.resolve("circle.png"), png);
    List<URI> asked = new ArrayList<>();
    OcellusChatModel model =
        builder()
            .mediaLoader(address -> {
              asked.add(address);
              return png;
            })
            .build();
    String answer = ask(model, new Media(PNG, new ByteArrayResource(png)));
    assertThat(answer).contains("circle").contains("red");
    assertThat(
            List.of(
                ask(model, Media.builder().mimeType(PNG).data(png).build()),
                ask(model, Media.builder().mimeType(PNG).data(base64).build()),
                ask(model, new Media(PNG, URI.create("data:image/png;base64," + base64))),
                ask(model, new Media(PNG, file.toUri())),
                ask(model, new Media(PNG, URI.create("https://example.org/a.png"))),
                ask(
                    model,
                    Media.builder()
                        .mimeType(PNG)
                        .data(URI.create("https://example.org/b.png").toURL())
                        .build())))
        .allMatch(answer::equals);
    assertThat(asked)
        .containsExactly(
            URI.create("https://example.org/a.png"), URI.create("https://example.org/b.png"));
  }

  @Test
  void fetchesNothingUnlessToldHow() {
    var media = new Media(PNG, URI.create("http://169.254.169.254/latest"));
    assertThatThrownBy(() -> ask(builder().build(), media))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("MediaLoader");
  }

  @Test
  void seesThePagesOfADocument() {
    byte[] pdf = PrintedPages.ofRedCircles(2);
    var media = Media.builder().mimeType(Media.Format.DOC_PDF).data(pdf).build();
    assertThat(ask(builder().build(), media)).contains("circle");
  }

  @Test
  void refusesWhatIsNoImage() {
    OcellusChatModel model = builder().build();
    assertThatThrownBy(
            () -> ask(model, Media.builder().mimeType(PNG).data(new byte[] {1, 2}).build()))
        .isInstanceOf(ImageFormatException.class);
    assertThatThrownBy(() -> ask(model, Media.builder().mimeType(PNG).data("data:,abc").build()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("base64");
    var audio = Media.builder().mimeType(MimeType.valueOf("audio/wav")).data(new byte[9]).build();
    assertThatThrownBy(() -> ask(model, audio))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("audio/wav");
  }

  @Test
  void imagesForATextModelAreRefusedWithTheReason() throws IOException {
    LoadOptions textAlone =
        LoadOptions.of(DemoModel.files().model())
            .withContextOptions(DemoModel.files().contextOptions());
    try (var model = OcellusChatModel.builder().loadOptions(textAlone).build()) {
      var media = new Media(PNG, new ByteArrayResource(DrawnImages.redCircle()));
      assertThatThrownBy(() -> ask(model, media))
          .isInstanceOf(PromptException.class)
          .hasMessageContaining("mmproj");
    }
  }

  /** What the answer is to be. */
  record Seen(String shape, int count) {}

  @Test
  void anAnswerKeepsToTheSchemaOfAClass() {
    Seen seen =
        ChatClient.create(builder().build())
            .prompt()
            .advisors(AdvisorParams.ENABLE_NATIVE_STRUCTURED_OUTPUT)
            .user(user ->
                user.text("Describe the picture.")
                    .media(PNG, new ByteArrayResource(DrawnImages.redCircle())))
            .options(OcellusChatOptions.builder().maxTokens(200))
            .call()
            .entity(Seen.class);
    assertThat(seen).isNotNull();
    assertThat(seen.shape()).isNotNull();
  }
}
