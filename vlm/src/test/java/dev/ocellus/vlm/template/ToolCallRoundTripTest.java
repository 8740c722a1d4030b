package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.chat.PromptOptions;
import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import dev.ocellus.vlm.prompt.ChatFormat;
import dev.ocellus.vlm.prompt.PromptException;
import dev.ocellus.vlm.tool.AnswerPart;
import dev.ocellus.vlm.tool.AnswerSplitter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What a template writes for a call, taken for a model's answer, gives that call again. */
class ToolCallRoundTripTest {
  private static final List<Tool> TOOLS =
      Tool.parseList(
          """
          [{"type": "function", "function": {"name": "weather", "description": "Tells the weather.", "parameters": {
             "type": "object", "properties": {"city": {"type": "string", "description": "Where."}, "days": {"type": "integer", "description": "How long."}},
             "required": ["city", "days"]}}}]
          """);
  private static final String ARGUMENTS = "{\"city\":\"Rome\",\"days\":3}";

  /** An answer, and what stands in front of it. */
  private record Written(String promptEnd, String text) {}

  /** Templates that show calls in a notation of their own, which is not read: it stays text. */
  private static final Set<String> NOT_READ =
      Set.of(
          "GigaChat3-10B-A1.8B.jinja",
          "Kimi-K3.jinja",
          "MiniMax-M3.jinja",
          "muse-glimmer.jinja",
          "tencent-Hy3.jinja",
          "upstage-Solar-Open-100B.jinja");

  @Test
  void readsTheCallsThatTemplatesWrite() {
    Map<String, String> templates = new TreeMap<>();
    Corpus.selected()
        .renderings()
        .forEach(c -> templates.put(c.name().split(" / ", 2)[0], c.template()));
    Set<String> read = new TreeSet<>();
    Map<String, String> others = new TreeMap<>();
    templates.forEach((name, source) -> {
      ChatTemplateCapabilities can = ChatTemplate.compile(source).capabilities();
      if (can.tools() && (can.toolCallObjects() || can.toolCallStrings())) {
        Written written = answer(source);
        String answer = written.text;
        if (answer.contains("weather") && answer.contains("Rome")) { // some leave calls out
          List<ToolCall> calls = calls(source, written);
          if (calls.size() == 1
              && calls.getFirst().name().equals("weather")
              && calls.getFirst().arguments().equals(ARGUMENTS)) {
            read.add(name);
          } else {
            others.put(name, answer + " -> " + calls);
          }
        }
      }
    });
    others.keySet().removeAll(NOT_READ);
    assertThat(others).isEmpty();
    assertThat(read.size()).isGreaterThan(10);
  }

  private static List<ToolCall> calls(String source, Written answer) {
    List<ToolCall> calls = new ArrayList<>();
    var format = new ChatFormat(source, "<s>", "</s>").answerFormat();
    var splitter =
        new AnswerSplitter(
            format,
            answer.promptEnd,
            TOOLS,
            part -> {
              if (part instanceof AnswerPart.Call(ToolCall call)) {
                calls.add(call);
              }
            });
    splitter.accept(answer.text);
    splitter.finish();
    return calls;
  }

  /** A model's answer ends with a token that is no part of it. */
  private static String upToItsEnd(String text) {
    int end = text.length();
    for (String token :
        List.of(
            "</s>", "<|im_end|>", "<|eot_id|>", "<|end_of_text|>", "<|message_sep|>", "<|call|>")) {
      int at = text.indexOf(token, Math.max(0, text.indexOf("Rome")));
      end = at >= 0 ? Math.min(end, at) : end;
    }
    return text.substring(0, end);
  }

  /** What the template writes for an assistant's call, and before a question after it. */
  private static Written answer(String source) {
    ChatFormat format = new ChatFormat(source, "<s>", "</s>");
    PromptOptions options =
        PromptOptions.defaults().withTools(TOOLS).withTemplateArgument("preserve_thinking", true);
    ToolCall call = new ToolCall("call00001", "weather", ARGUMENTS);
    Message user = Message.user("Question?");
    Message assistant = Message.assistant("", "", List.of(call));
    try {
      String whole =
          format
              .render(
                  List.of(user, assistant, Message.toolResult(call, "Rq7result")),
                  options,
                  ChatFormat.Shown.PARTS,
                  visual -> "")
              .text();
      Rendered prompt = format.render(List.of(user), options, ChatFormat.Shown.PARTS, visual -> "");
      boolean begins = whole.startsWith(prompt.text());
      int question = whole.lastIndexOf("Question?") + "Question?".length();
      int from = begins ? prompt.text().length() : question;
      int to = whole.lastIndexOf("Rq7result");
      boolean found = question >= "Question?".length() && to >= from;
      return new Written(
          begins ? prompt.end() : "", found ? upToItsEnd(whole.substring(from, to)) : "");
    } catch (TemplateException | PromptException refused) {
      return new Written("", "");
    }
  }
}
