package dev.ocellus.vlm.json;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.ContentForm;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.Role;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.image.Rgb;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Video;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.image.codec.VideoReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.OptionalDouble;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessagesJsonTest {
  private static final RgbImage GREEN = RgbImage.filled(3, 2, new Rgb(0, 255, 0));

  @TempDir Path directory;

  private List<Message> parse(String json) throws IOException {
    return MessagesJson.parse(json, ImageLoader.files(directory, ImageLimits.DEFAULT));
  }

  private Path green(String name) throws IOException {
    Path file = directory.resolve(name);
    ImageIO.write(GREEN.toBufferedImage(), "png", file.toFile());
    return file;
  }

  @Test
  void readsStringsAndParts() throws IOException {
    green("a b.png");
    List<Message> messages =
        parse(
            """
            {"model": "ignored", "messages": [
              {"role": "developer", "content": "Be brief."},
              {"role": "user", "content": [
                {"type": "text", "text": "What"},
                {"type": "image_url", "image_url": {"url": "a b.png", "detail": "high"}},
                {"type": "image", "image": "a b.png"},
                {"type": "image", "path": "a b.png"},
                " is this?"]},
              {"role": "assistant", "content": null}]}
            """);
    assertThat(messages)
        .extracting(Message::role)
        .containsExactly(Role.DEVELOPER, Role.USER, Role.ASSISTANT);
    assertThat(messages.get(1).text()).isEqualTo("What is this?");
    assertThat(messages.get(1).images()).containsExactly(GREEN, GREEN, GREEN);
    assertThat(messages.get(2).text()).isEmpty();
  }

  @Test
  void takesImagesBesideTheContentAsOllamaDoes() throws IOException {
    byte[] png = Files.readAllBytes(green("a b.png"));
    String base64 = Base64.getEncoder().encodeToString(png);
    Message message =
        parse(
                """
                [{"role": "user", "content": "What is this?", "images": ["a b.png", "%s", "data:image/png;base64,%s"]}]
                """
                    .formatted(base64, base64))
            .getFirst();
    assertThat(message.images()).containsExactly(GREEN, GREEN, GREEN);
    assertThat(message.text()).isEqualTo("What is this?");
    assertThat(message.content().getLast()).isInstanceOf(Content.Text.class);
    assertThat(parse("[{\"role\": \"user\", \"content\": \"q\", \"images\": []}]"))
        .containsExactly(Message.user("q"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'role':'user','content':'q','images':'a.png'} | messages[0].images: expected a list",
        "{'role':'user','content':'q','images':[3]} | messages[0].images[0]: expected a string",
        "{'role':'user','content':'q','images':['no.png']} | messages[0].images[0]: no such file",
        "{'role':'user','content':'q','image':'a.png'} | messages[0].image: not read",
        "{'role':'user','content':'q','image_url':{'url':'a.png'}} | messages[0].image_url: not read",
        "{'role':'user','content':'q','videos':['a.gif']} | messages[0].videos: not read",
        "{'role':'user','content':'q','attachments':[{'url':'a.png'}]} | messages[0].attachments: not read",
        "{'role':'user','content':'q','image_url':'a.png'} | messages[0].image_url: not read",
        "{'role':'user','content':'q','file':'a.pdf'} | messages[0].file: not read",
        "{'role':'user','content':'q','audio':{'id':'a'}} | messages[0].audio: not read",
        "{'role':'user','content':'q','parts':[{'type':'file','url':'a.png'}]} | messages[0].parts: not read",
        "{'role':'user','content':'q','my_pictures':['a.png']} | messages[0].my_pictures: not read",
        "{'role':'assistant','function_call':{'name':'f','arguments':'{}'}} | messages[0].function_call: not read",
        "{'role':'user','content':[{'type':'text','text':'q','attachments':['a.png']}]} | messages[0].content[0].attachments: not read",
        "{'role':'assistant','content':'a','reasoning':['hm']} | messages[0].reasoning: expected a string",
        "{'role':'user','content':[{'type':'text','text':'q','image':'a.png'}]} | messages[0].content[0].image: not read",
        "{'role':'user','content':[{'type':'image_url','image_url':'a.png','images':['b.png']}]} | messages[0].content[0].images: not read",
      })
  void refusesImagesThatWouldBeLeftOut(String json, String message) {
    assertThatThrownBy(() -> parse("[" + json.replace('\'', '"') + "]"))
        .isInstanceOf(MessagesFormatException.class)
        .hasMessageStartingWith(message);
    assertThatThrownBy(() -> parse("{\"images\": [\"a.png\"], \"messages\": []}"))
        .hasMessageStartingWith("conversation.images: not read");
  }

  @Test
  void leavesNotesOfServersOut() throws IOException {
    assertThat(
            parse(
                "[{\"role\": \"user\", \"content\": \"q\", \"id\": \"1\", \"attachments\": [], \"audio\": null, \"function_call\": null, \"annotations\": [{}], \"metadata\": {\"a\": 1}}]"))
        .containsExactly(Message.user("q"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"reasoning_content", "reasoning", "thinking"})
  void takesReasoningUnderTheNamesThatServersGiveIt(String key) throws IOException {
    Message message =
        parse("[{\"role\": \"assistant\", \"content\": \"a\", \"%s\": \"hm\"}]".formatted(key))
            .getFirst();
    assertThat(message.reasoning()).isEqualTo("hm");
  }

  @Test
  void keepsTheRoleOfADeveloper() throws IOException {
    List<Message> messages = parse("[{\"role\": \"developer\", \"content\": \"be brief\"}]");
    assertThat(messages).containsExactly(Message.of(Role.DEVELOPER, "be brief"));
    assertThat(parse(MessagesJson.write(messages))).isEqualTo(messages);
  }

  @Test
  void readsFileAndDataUrls() throws IOException {
    Path file = green("a b.png");
    String inline = MessagesJson.write(List.of(Message.user("x", GREEN)));
    assertThat(inline).contains("data:image/png;base64,");
    assertThat(parse(inline).getFirst().images()).containsExactly(GREEN);
    String url = file.toUri().toString();
    assertThat(url).contains("a%20b.png");
    assertThat(
            parse(
                    "[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"url\":\"%s\"}]}]"
                        .formatted(url))
                .getFirst()
                .images())
        .containsExactly(GREEN);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'role':'user','content':'q'} | STRING | q",
        "{'role':'user','content':''} | STRING | ``",
        "{'role':'system','content':[{'type':'text','text':'q'}]} | PARTS | q",
        "{'role':'user','content':[]} | PARTS | ``",
        "{'role':'tool','content':[{'type':'text','text':'a'},{'type':'text','text':'b'}]} | PARTS | ab",
        "{'role':'assistant','content':null} | NULL | ``",
        "{'role':'assistant','tool_calls':[{'function':{'name':'f','arguments':'{}'}}]} | ABSENT | ``",
      })
  void remembersWhatTheContentWas(String json, ContentForm form, String text) throws IOException {
    List<Message> messages = parse("[" + json.replace('\'', '"') + "]");
    assertThat(messages.getFirst().form()).isEqualTo(form);
    assertThat(messages.getFirst().text()).isEqualTo(text);
    assertThat(parse(MessagesJson.write(messages))).isEqualTo(messages);
  }

  @Test
  void takesAQuestionOfTextAloneForAString() {
    assertThat(Message.user("q").form()).isEqualTo(ContentForm.STRING);
    assertThat(Message.user(List.of(new Content.Text("q")))).isEqualTo(Message.user("q"));
    assertThat(Message.user("q", GREEN).form()).isEqualTo(ContentForm.PARTS);
    assertThat(new Message(Role.USER, List.of(new Content.Text("q"))).form())
        .isEqualTo(ContentForm.PARTS);
    assertThat(Message.system("s").withContent(List.of(new Content.Text("t"))))
        .isEqualTo(Message.system("t"));
    assertThatThrownBy(
            () -> new Message(Role.USER, List.of(), ContentForm.STRING, "", List.of(), "", ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("STRING");
  }

  @Test
  void writesWhatItReads() throws IOException {
    Path file = green("p.png");
    List<Message> messages =
        List.of(
            Message.system("s"),
            new Message(
                Role.USER,
                List.of(
                    new Content.Image(GREEN, file.toString()), new Content.Text("q \"\u00e9\n"))),
            Message.assistant("a"));
    String json = MessagesJson.write(messages);
    assertThat(json).contains("p.png").doesNotContain("base64");
    assertThat(parse(json)).isEqualTo(messages);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "[{\"role\": \"user\", \"content\": \"a\"}, 3]|messages[1]: expected an object, found the number 3",
        "[{\"content\": \"a\"}]|messages[0].role: expected a string, found nothing",
        "[{\"role\": \"king\", \"content\": \"a\"}]|messages[0].role: expected system, developer, user, assistant or tool",
        "[{\"role\": \"user\"}]|messages[0].content: expected a string or a list",
        "[{\"role\": \"user\", \"content\": 5}]|messages[0].content: expected a string or a list",
        "[{\"role\": \"user\", \"content\": [{\"type\": \"audio\"}]}]|messages[0].content[0].type: expected text, image_url, image or video",
        "[{\"role\": \"user\", \"content\": [{\"type\": \"text\"}]}]|messages[0].content[0].text: expected a string",
        "[{\"role\": \"user\", \"content\": [{\"type\": \"image\"}]}]|messages[0].content[0]: expected the image under",
        "[{\"role\": \"user\", \"content\": [{\"type\": \"image\", \"image\": \"none.png\"}]}]|messages[0].content[0].image: no such file",
        "[{\"role\": \"user\", \"content\": [{\"type\": \"image\", \"image\": \"https://x/y.png\"}]}]|nothing is fetched from the network",
        "[{\"role\": \"user\", \"content\": [{\"type\": \"image\", \"image\": \"data:image/png,xyz\"}]}]|messages[0].content[0].image: expected data:image/TYPE;base64",
        "[{\"role\": \"assistant\", \"content\": null, \"tool_calls\": [{}]}]|messages[0].tool_calls[0].function.name",
        "[{\"role\": \"assistant\", \"tool_calls\": 3}]|messages[0].tool_calls: expected a list",
        "[{\"role\": \"assistant\", \"tool_calls\": [{\"name\": \"f\", \"arguments\": \"[]\"}]}]|messages[0].tool_calls[0].function.arguments: expected a JSON object",
        "[]|expected at least one",
        "{\"message\": []}|expected an array of messages",
        "[{\"role\": \"user\", \"role\": \"user\"}]|not valid JSON",
        "[|not valid JSON",
        "[] []|not valid JSON",
      })
  void namesThePlaceOfAMistake(String json, String message) {
    assertThatThrownBy(() -> parse(json))
        .isInstanceOf(MessagesFormatException.class)
        .hasMessageContaining(message);
  }

  @Test
  void refusesEmptyText() {
    assertThatThrownBy(() -> parse("")).isInstanceOf(MessagesFormatException.class);
  }

  @Test
  void namesThePlaceOfABrokenImage() throws IOException {
    Files.writeString(directory.resolve("note.png"), "hello");
    assertThatThrownBy(() ->
            parse("[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"path\":\"note.png\"}]}]"))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("messages[0].content[0].path");
  }

  @Test
  void readsNoFilesWhereTheLoaderDoesNot() throws IOException {
    green("p.png");
    String json = "[{\"role\":\"user\",\"content\":[{\"type\":\"image\",\"path\":\"p.png\"}]}]";
    assertThatThrownBy(() -> MessagesJson.parse(json, ImageLoader.inlineOnly(ImageLimits.DEFAULT)))
        .isInstanceOf(MessagesFormatException.class)
        .hasMessageContaining("no files are read here");
  }

  @Test
  void refusesDeepNesting() {
    assertThatThrownBy(() -> parse("[".repeat(100_000)))
        .isInstanceOf(MessagesFormatException.class);
  }

  @Test
  void readsAndWritesVideos() throws IOException {
    ImageIO.write(GREEN.toBufferedImage(), "png", directory.resolve("1.png").toFile());
    ImageIO.write(GREEN.toBufferedImage(), "png", directory.resolve("2.png").toFile());
    String json =
        "[{\"role\": \"user\", \"content\": [{\"type\": \"video\", \"video\": \".\", \"fps\": 4}]}]";
    ImageLoader files = ImageLoader.files(directory, ImageLimits.DEFAULT);
    List<Message> messages = MessagesJson.parse(json, files);
    Video video = (Video) messages.getFirst().visuals().getFirst();
    assertThat(video.frames()).containsExactly(GREEN, GREEN);
    assertThat(video.fps()).isEqualTo(4);
    assertThat(MessagesJson.parse(MessagesJson.write(messages), files).getFirst().visuals())
        .extracting(Visual::contentHash)
        .containsExactly(video.contentHash());
    assertThatThrownBy(() -> MessagesJson.parse(json.replace("4}", "-1}"), files))
        .isInstanceOf(MessagesFormatException.class)
        .hasMessageContaining("messages[0].content[0].fps");
    assertThatThrownBy(() -> MessagesJson.parse(json, ImageLoader.inlineOnly(ImageLimits.DEFAULT)))
        .isInstanceOf(MessagesFormatException.class)
        .hasMessageContaining("messages[0].content[0].video")
        .hasMessageContaining("no videos");
  }

  private static String video(String video) {
    return "[{\"role\": \"user\", \"content\": [{\"type\": \"video\", %s}]}]".formatted(video);
  }

  @Test
  void readsFramesOneByOne() throws IOException {
    green("1.png");
    String even = video("\"video\": [\"1.png\", \"1.png\"], \"fps\": 4");
    assertThat(parse(even).getFirst().visuals())
        .containsExactly(Video.of(List.of(GREEN, GREEN), 4));
    assertThat(parse(even.replace(", \"fps\": 4", "")).getFirst().visuals())
        .containsExactly(Video.of(List.of(GREEN, GREEN), 2));
    String timed =
        video("\"video\": [\"1.png\", \"1.png\"], \"times\": [0.5, 0.75], \"duration\": 3");
    assertThat(parse(timed).getFirst().visuals())
        .containsExactly(Video.at(List.of(GREEN, GREEN), new double[] {0.5, 0.75}, 3));
  }

  @Test
  void writesAPathOnlyWhereItGivesTheSameVideoAgain() throws IOException {
    Path frames = Files.createDirectory(directory.resolve("frames"));
    green("frames/1.png");
    green("frames/2.png");
    Path animation =
        Path.of("src/test/resources/dev/ocellus/vlm/image/codec/formats/animation_P_disposal0.gif")
            .toAbsolutePath();
    ImageLimits limits = ImageLimits.DEFAULT;
    for (Content.Video content :
        List.of(
            of(frames, VideoReader.read(frames, OptionalDouble.of(30000 / 1001.0), limits)),
            of(animation, VideoReader.read(animation, OptionalDouble.empty(), limits)),
            of(animation, VideoReader.read(animation, OptionalDouble.of(7), limits)))) {
      Video video = content.video();
      String source = content.source();
      Message whole = new Message(Role.USER, List.of(content));
      String json = MessagesJson.write(List.of(whole));
      assertThat(json).doesNotContain("base64");
      assertThat(parse(json)).containsExactly(whole);
      for (Video part : List.of(video.evenly(1), video.select(0, 1))) {
        Message some = new Message(Role.USER, List.of(new Content.Video(part, source)));
        json = MessagesJson.write(List.of(some));
        assertThat(json).doesNotContain(source);
        assertThat(parse(json).getFirst().visuals()).containsExactly(part);
      }
    }
  }

  private static Content.Video of(Path source, Video video) {
    return new Content.Video(video, source.toString());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "`video`: []|content[0].video: expected 1 to 1000 frames, found 0",
        "`video`: [`1.png`, 5]|content[0].video[1]: expected a string, found the number 5",
        "`video`: [`1.png`, `none.png`]|content[0].video[1]: no such file",
        "`video`: [`1.png`], `times`: 4|content[0].times: expected a list of seconds",
        "`video`: [`1.png`], `times`: [`a`], `duration`: 1|content[0].times[0]: expected a number",
        "`video`: [`1.png`], `times`: [0]|content[0].duration: expected a number",
        "`video`: [`1.png`], `times`: [0], `duration`: 0|content[0]: a video lasts",
        "`video`: [`1.png`], `times`: [0, 1], `duration`: 2|content[0]: 2 times do not fit 1 frames",
        "`video`: [`1.png`, `1.png`], `times`: [1, 0], `duration`: 2|content[0]: frames are shown one after the other",
        "`video`: [`1.png`], `times`: [3], `duration`: 2|content[0]: frames are shown one after the other",
        "`video`: [`1.png`], `times`: [0], `duration`: 1, `fps`: 2|content[0]: expected fps or times",
      })
  void namesThePlaceOfAMistakeInAVideo(String part, String message) throws IOException {
    green("1.png");
    assertThatThrownBy(() -> parse(video(part.replace('`', '"'))))
        .isInstanceOf(MessagesFormatException.class)
        .hasMessageContaining(message);
  }

  @Test
  void limitsFramesTogether() throws IOException {
    green("1.png");
    ImageLimits limits = ImageLimits.DEFAULT.withMaxPixels(11);
    assertThatThrownBy(() ->
            MessagesJson.parse(
                video("\"video\": [\"1.png\", \"1.png\"]"), ImageLoader.files(directory, limits)))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("video[1]")
        .hasMessageContaining("12 pixels");
    ImageIO.write(
        RgbImage.filled(5, 5, Rgb.BLACK).toBufferedImage(),
        "png",
        directory.resolve("2.png").toFile());
    assertThatThrownBy(() -> parse(video("\"video\": [\"1.png\", \"2.png\"]")))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("content[0]: frame 2");
  }

  @Test
  void refusesMoreThanMemoryHolds() {
    assertThatThrownBy(() -> parse("[" + "[],".repeat(3_000_000) + "[]]"))
        .isInstanceOf(MessagesFormatException.class);
  }
}
