import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.openai.OpenAiChatModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** Asks about an image through LangChain4j's client of OpenAI's API (langchain4j-open-ai). */
public class LangChain4jExample {
  public static void main(String[] args) throws Exception {
    String url = System.getenv().getOrDefault("OCELLUS_URL", "http://127.0.0.1:8080");
    ChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(url + "/v1")
            .apiKey("none")
            .modelName("tiny-shapes-vlm")
            .temperature(0.0)
            .build();
    byte[] image = Files.readAllBytes(Path.of("docs/pictures/red-circle.png"));
    var question =
        UserMessage.from(
            ImageContent.from(Base64.getEncoder().encodeToString(image), "image/png"),
            TextContent.from("What is this?"));
    System.out.println(model.chat(question).aiMessage().text());
  }
}
