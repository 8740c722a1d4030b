package example;

import org.springframework.ai.chat.client.ChatClient;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.core.io.FileSystemResource;
import org.springframework.util.MimeTypeUtils;

@SpringBootApplication
class Ask {
  @Bean
  CommandLineRunner runner(ChatClient.Builder chat) {
    return args -> System.out.println(chat.build().prompt()
        .user(user -> user.text("Describe the picture.").media(MimeTypeUtils.IMAGE_PNG, new FileSystemResource(args[0])))
        .call().content());
  }

  public static void main(String[] args) {
    SpringApplication.run(Ask.class, args);
  }
}
