///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 22+
//DEPS dev.ocellus:ocellus-starter:0.1.0-SNAPSHOT
//RUNTIME_OPTIONS --enable-native-access=ALL-UNNAMED -Djava.awt.headless=true

import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.VisionLanguageModel;
import dev.ocellus.vlm.chat.GenerationOptions;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.nio.file.Path;

/** Says what is in the image that it is given, with the tiny embedded model. */
public class Describe {
  public static void main(String... images) throws Exception {
    try (var model = VisionLanguageModel.open(DemoModel.files());
        var chat = model.newChat()) {
      var question = Message.user("What is in the image?", ImageDecoder.decode(Path.of(images[0])));
      chat.send(question, GenerationOptions.greedy(), System.out::print);
      System.out.println();
    }
  }
}
