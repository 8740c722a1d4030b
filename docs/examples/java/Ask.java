import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.nio.file.Path;

class Ask {
  public static void main(String[] args) throws Exception {
    try (var model = VisionLanguageModel.open(DemoModel.files()); var chat = model.newChat()) {
      var image = ImageDecoder.decode(Path.of(args[0]));
      System.out.println(chat.send(Message.user("Describe the picture.", image)).content());
    }
  }
}
