import dev.langchain4j.data.message.ImageContent;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.ocellus.langchain4j.OcellusChatModel;
import dev.ocellus.vlm.DemoModel;
import java.nio.file.Path;

class Ask {
  public static void main(String[] args) throws Exception {
    try (var model = OcellusChatModel.builder().loadOptions(DemoModel.files()).temperature(0.0).build()) {
      var image = ImageContent.from(Path.of(args[0]).toUri());
      System.out.println(model.chat(UserMessage.from(TextContent.from("Describe the picture."), image)).aiMessage().text());
    }
  }
}
