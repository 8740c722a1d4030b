package dev.ocellus.vlm.prompt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.ocellus.vlm.chat.Content;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.json.MessagesJson;
import dev.ocellus.vlm.python.PythonJson;
import dev.ocellus.vlm.template.TemplateException;
import dev.ocellus.vlm.template.TemplateRaisedException;
import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Conversations of many shapes in every template of the corpus and of the reference models, beside
 * what transformers' {@code apply_chat_template} makes of them ({@code make_golden.py}).
 */
class ChatFormatReferenceTest {
  private static final LocalDateTime NOW = LocalDateTime.of(2025, 7, 26, 12, 34, 56);
  private static final RgbImage PIXEL = RgbImage.of(1, 1, new byte[3]);

  private static final String TOOLS_HIDDEN = "refused: the template does not show tools";
  private static final String REFUSED = "refused by the template";

  private record Conversation(List<Message> messages, List<Tool> tools) {}

  /**
   * @param given what the reference makes of the conversation as it is; null where it fails
   * @param others where it fails: what it makes of it with contents in other forms
   */
  private record Case(
      String template, String conversation, @Nullable String given, List<String> others) {}

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = ChatFormatReferenceTest.class.getResourceAsStream(name)) {
      return in == null ? new byte[0] : in.readAllBytes();
    }
  }

  private static List<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    try (InputStream in =
        new GZIPInputStream(
            ChatFormatReferenceTest.class.getResourceAsStream("chat-renderings.jsonl.gz"))) {
      for (String line : new String(in.readAllBytes(), UTF_8).split("\n")) {
        JsonNode node = PythonJson.read(line);
        List<String> others = new ArrayList<>();
        node.get("others").forEach(other -> others.add(other.asText()));
        cases.add(
            new Case(
                node.get("template").asText(),
                node.get("conversation").asText(),
                node.get("given").textValue(),
                others));
      }
    }
    return cases;
  }

  private static Map<String, Conversation> conversations() throws IOException {
    JsonNode all = PythonJson.read(new String(resource("chat-conversations.json"), UTF_8));
    Map<String, Conversation> conversations = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : all.properties()) {
      ArrayNode messages = (ArrayNode) entry.getValue();
      List<Tool> tools = List.of();
      if (messages.get(0).has("tools")) {
        tools = Tool.parseList(PythonJson.write(messages.remove(0).get("tools")));
      }
      String json = PythonJson.write(messages);
      conversations.put(
          entry.getKey(),
          new Conversation(
              MessagesJson.parse(json, reference -> new Content.Image(PIXEL, reference)), tools));
    }
    return conversations;
  }

  private static ChatFormat format(String template) {
    try {
      byte[] source = resource("templates/" + template);
      if (source.length == 0) {
        source = resource("/dev/ocellus/vlm/template/templates/" + template);
      }
      return new ChatFormat(new String(source, UTF_8), "<s>", "</s>", NOW);
    } catch (IOException e) {
      throw new AssertionError(template, e);
    }
  }

  private static String rendered(
      ChatFormat format, Conversation conversation, ChatFormat.Shown shown) {
    PromptOptions options = PromptOptions.defaults().withTools(conversation.tools);
    try {
      return format.render(conversation.messages, options, shown, visual -> "<WRITTEN>").text();
    } catch (PromptException e) {
      return TOOLS_HIDDEN;
    } catch (TemplateRaisedException e) {
      return REFUSED;
    } catch (TemplateException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void rendersConversationsAsTransformersDoes() throws IOException {
    Map<String, Conversation> conversations = conversations();
    Map<String, ChatFormat> formats = new HashMap<>();
    List<String> wrong = new ArrayList<>();
    int asGiven = 0;
    int otherwise = 0;
    for (Case c : cases()) {
      Conversation conversation = requireNonNull(conversations.get(c.conversation));
      ChatFormat format = formats.computeIfAbsent(c.template, ChatFormatReferenceTest::format);
      String found = rendered(format, conversation, ChatFormat.Shown.PARTS);
      boolean right;
      if (c.given != null) {
        boolean hidden = found.equals(TOOLS_HIDDEN) && !c.given.contains("get_weather");
        right = hidden || found.equals(c.given);
      } else {
        // as the library does where the images have no place
        String written = rendered(format, conversation, ChatFormat.Shown.TEXT);
        right =
            c.others.isEmpty()
                || found.equals(TOOLS_HIDDEN)
                || found.equals(REFUSED) // by the template's own words, as in the reference
                || c.others.contains(found)
                || c.others.contains(written);
      }
      asGiven += c.given != null && right ? 1 : 0;
      otherwise += c.given == null && !c.others.isEmpty() && right ? 1 : 0;
      if (!right) {
        wrong.add(
            "%s / %s:\nexpected %s\nfound    %s"
                .formatted(
                    c.template, c.conversation, c.given == null ? c.others : c.given, found));
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(asGiven).isGreaterThan(2500);
    assertThat(otherwise).isGreaterThan(1000);
  }
}
