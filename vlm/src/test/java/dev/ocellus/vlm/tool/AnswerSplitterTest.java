package dev.ocellus.vlm.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.vlm.chat.Tool;
import dev.ocellus.vlm.chat.ToolCall;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class AnswerSplitterTest {
  private static final List<Tool> TOOLS =
      Tool.parseList(
          """
          [{"type": "function", "function": {"name": "weather", "parameters": {
             "type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}}}}]
          """);

  /** What came out: text, [reasoning], and {calls}, in order. */
  private static String split(
      AnswerFormat format, String promptEnd, String answer, List<Integer> cuts) {
    StringBuilder out = new StringBuilder();
    List<AnswerPart> parts = new ArrayList<>();
    var splitter = new AnswerSplitter(format, promptEnd, TOOLS, parts::add);
    int from = 0;
    for (int cut : cuts) {
      splitter.accept(answer.substring(from, cut));
      from = cut;
    }
    splitter.accept(answer.substring(from));
    splitter.finish();
    Class<?> before = null;
    for (AnswerPart part : parts) {
      boolean begins = part.getClass() != before;
      switch (part) {
        case AnswerPart.Text(String text) -> out.append(begins ? "|" : "").append(text);
        case AnswerPart.Reasoning(String text) -> out.append(begins ? "|~" : "").append(text);
        case AnswerPart.Call(ToolCall call) ->
            out.append("|").append(call.name()).append(call.arguments()).append(call.id());
      }
      before = part.getClass();
    }
    return out.toString();
  }

  private static AnswerFormat hermes() {
    return AnswerFormat.of("<think> <tool_call>");
  }

  static Stream<Arguments> answers() {
    String call = "weather{\"city\":\"Rome\",\"days\":3}";
    AnswerFormat deepseek = AnswerFormat.of("<think> <｜tool▁calls▁begin｜>");
    AnswerFormat mistral = AnswerFormat.of("[THINK] [TOOL_CALLS]");
    AnswerFormat harmony = AnswerFormat.of("<|channel|> <|message|>");
    AnswerFormat llama = AnswerFormat.of("<|python_tag|>");
    AnswerFormat functionary = AnswerFormat.of(">>>all");
    return Stream.of(
        Arguments.of(
            "plain", AnswerFormat.PLAIN, "", " Hello <think> you\n", "| Hello <think> you\n"),
        Arguments.of("no markers", hermes(), "", " a < b \n", "| a < b \n"),
        Arguments.of(
            "reasoning", hermes(), "", "<think>\nwell …\n</think>\n\nYes.\n", "|~well …|Yes.\n"),
        Arguments.of("empty reasoning", hermes(), "", "<think>\n\n</think>\n\nYes.", "|Yes."),
        Arguments.of(
            "opened by the prompt",
            hermes(),
            "assistant\n<think>\n",
            "hm\n</think>\nYes",
            "|~hm|Yes"),
        Arguments.of("closed by the prompt", hermes(), "<think>\n\n</think>\n", "Yes", "|Yes"),
        Arguments.of("unfinished reasoning", hermes(), "", "<think>I thi", "|~I thi"),
        Arguments.of(
            "hermes",
            hermes(),
            "",
            "Sure.\n<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 3}}\n</tool_call>\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>",
            "|Sure.|" + call + "|f{}"),
        Arguments.of(
            "hermes, not closed",
            hermes(),
            "",
            "<tool_call>{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 3}}",
            "|" + call),
        Arguments.of(
            "hermes, malformed",
            hermes(),
            "",
            "Sure.\n<tool_call>{\"name\": weather}</tool_call> Done",
            "|Sure.\n<tool_call>{\"name\": weather}</tool_call> Done"),
        Arguments.of(
            "hermes, unfinished",
            hermes(),
            "",
            "A <tool_call>{\"name\": \"we",
            "|A <tool_call>{\"name\": \"we"),
        Arguments.of(
            "hermes, markers in text",
            hermes(),
            "",
            "<tool_call>{\"name\": \"f\", \"arguments\": {\"a\": \"<tool_call>\\\"</tool_call><arg_key>\"}}</tool_call>\nYes",
            "|f{\"a\":\"<tool_call>\\\"</tool_call><arg_key>\"}|Yes"),
        Arguments.of(
            "hermes, text without an end, then a call",
            hermes(),
            "",
            "<tool_call>{\"name\": \"f}</tool_call>A<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>",
            "|<tool_call>{\"name\": \"f}</tool_call>A|f{}"),
        Arguments.of(
            "functions, markers in text and in JSON",
            AnswerFormat.of("<tool_call> <function= <parameter="),
            "",
            "<tool_call><function=f><parameter=a>[\"</parameter></tool_call>\"]</parameter></function></tool_call><tool_call><function=weather><parameter=city>\n</tool_call></function>\n</parameter></function></tool_call>",
            "|f{\"a\":[\"</parameter></tool_call>\"]}|weather{\"city\":\"</tool_call></function>\"}"),
        Arguments.of(
            "keys and values, cut off",
            AnswerFormat.of("<tool_call> <arg_key>"),
            "",
            "<tool_call>weather<arg_key>city</arg_key><arg_value>Rome</arg_value><arg_key>da",
            "|<tool_call>weather<arg_key>city</arg_key><arg_value>Rome</arg_value><arg_key>da"),
        Arguments.of(
            "keys and values, no arguments",
            AnswerFormat.of("<tool_call> <arg_key>"),
            "",
            "<tool_call>weather\n</tool_call>",
            "|weather{}"),
        Arguments.of(
            "mistral, markers in text",
            mistral,
            "",
            "[TOOL_CALLS]f[ARGS]{\"a\": \"[TOOL_CALLS]g[ARGS]{}\"}[TOOL_CALLS]f[ARGS]{}",
            "|f{\"a\":\"[TOOL_CALLS]g[ARGS]{}\"}|f{}"),
        Arguments.of(
            "functionary, markers in text",
            functionary,
            ">>>",
            "f\n{\"a\": \">>>all\"}>>>all\nYes",
            "|f{\"a\":\">>>all\"}|Yes"),
        Arguments.of(
            "functions and parameters",
            AnswerFormat.of("<tool_call> <function= <parameter="),
            "",
            "<tool_call>\n<function=weather>\n<parameter=city>\nRome\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>",
            "|" + call),
        Arguments.of(
            "text that looks like a number",
            AnswerFormat.of("<tool_call> <function= <parameter="),
            "",
            "<tool_call><function=weather><parameter=city>12</parameter></function></tool_call>",
            "|weather{\"city\":\"12\"}"),
        Arguments.of(
            "keys and values",
            AnswerFormat.of("<tool_call> <arg_key>"),
            "",
            "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n<arg_key>days</arg_key>\n<arg_value>3</arg_value>\n</tool_call>",
            "|" + call),
        Arguments.of(
            "mistral, list",
            mistral,
            "",
            "[TOOL_CALLS][{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 3}, \"id\": \"abc123def\"}]",
            "|" + call + "abc123def"),
        Arguments.of(
            "mistral, names",
            mistral,
            "",
            "[THINK]hm[/THINK]ok[TOOL_CALLS]weather[ARGS]{\"city\": \"Rome\", \"days\": 3}[TOOL_CALLS]f[ARGS]{}",
            "|~hm|ok|" + call + "|f{}"),
        Arguments.of(
            "deepseek r1",
            deepseek,
            "",
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>weather\n```json\n{\"city\": \"Rome\", \"days\": 3}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "|" + call),
        Arguments.of(
            "deepseek v3.1",
            deepseek,
            "",
            "ok<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather<｜tool▁sep｜>{\"city\": \"Rome\", \"days\": 3}<｜tool▁call▁end｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "|ok|" + call + "|f{}"),
        Arguments.of(
            "deepseek v3.2",
            AnswerFormat.of("'｜DSML｜' 'function_calls>'"),
            "",
            "ok\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"weather\">\n<｜DSML｜parameter name=\"city\" string=\"true\">Rome</｜DSML｜parameter>\n<｜DSML｜parameter name=\"days\" string=\"false\">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>",
            "|ok|" + call),
        Arguments.of(
            "kimi",
            AnswerFormat.of("<|tool_calls_section_begin|>"),
            "",
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>{\"city\": \"Rome\", \"days\": 3}<|tool_call_end|><|tool_calls_section_end|>",
            "|" + call + "functions.weather:0"),
        Arguments.of(
            "command-r7b",
            AnswerFormat.of("<|START_THINKING|> <|START_RESPONSE|> <|START_ACTION|>"),
            "",
            "<|START_THINKING|>plan<|END_THINKING|><|START_ACTION|>[\n{\"tool_call_id\": \"0\", \"tool_name\": \"weather\", \"parameters\": {\"city\": \"Rome\", \"days\": 3}}\n]<|END_ACTION|>",
            "|~plan|" + call + "0"),
        Arguments.of(
            "command-r7b, response",
            AnswerFormat.of("<|START_THINKING|> <|START_RESPONSE|> <|START_ACTION|>"),
            "",
            "<|START_RESPONSE|>Yes.<|END_RESPONSE|>",
            "|Yes."),
        Arguments.of(
            "command-r plus",
            AnswerFormat.of("Action: ```json"),
            "",
            "Action: ```json\n[{\"tool_name\": \"weather\", \"parameters\": {\"city\": \"Rome\", \"days\": 3}}]```",
            "|" + call),
        Arguments.of(
            "granite",
            AnswerFormat.of("<|tool_call|>"),
            "",
            "<|tool_call|>[{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 3}}]",
            "|" + call),
        Arguments.of(
            "llama, json",
            llama,
            "",
            "{\"name\": \"weather\", \"parameters\": {\"city\": \"Rome\", \"days\": 3}}",
            "|" + call),
        Arguments.of("llama, json that is no call", llama, "", "{\"a\": 1}", "|{\"a\": 1}"),
        Arguments.of(
            "llama, built-in tool",
            llama,
            "",
            "<|python_tag|>weather.call(city=\"Rome\", days=3)",
            "|" + call),
        Arguments.of(
            "python",
            AnswerFormat.of("<|tool_call_start|>"),
            "",
            "<|tool_call_start|>[weather(city='Rome', days=3), f()]<|tool_call_end|>",
            "|" + call + "|f{}"),
        Arguments.of(
            "gemma 4",
            AnswerFormat.of("<|tool_call> <|channel>thought"),
            "",
            "<|channel>thought\nhm\n<channel|><|tool_call>call:weather{city:<|\"|>Rome<|\"|>,days:3}<tool_call|>",
            "|~hm|" + call),
        Arguments.of(
            "apertus",
            AnswerFormat.of("<|tools_prefix|> <|inner_prefix|>"),
            "",
            "<|inner_prefix|>hm<|inner_suffix|><|tools_prefix|>[{\"weather\": {\"city\": \"Rome\", \"days\": 3}}]<|tools_suffix|>",
            "|~hm|" + call),
        Arguments.of(
            "firefunction",
            AnswerFormat.of("functools"),
            "",
            " functools[{\"name\": \"weather\", \"arguments\": {\"city\": \"Rome\", \"days\": 3}}]",
            "|" + call),
        Arguments.of(
            "harmony",
            harmony,
            "<|start|>assistant",
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{\"city\": \"Rome\", \"days\": 3}<|call|>",
            "|~hm|" + call),
        Arguments.of(
            "harmony, recipient first",
            harmony,
            "<|start|>assistant",
            " to=functions.weather<|channel|>commentary json<|message|>{\"city\": \"Rome\", \"days\": 3}",
            "|" + call),
        Arguments.of(
            "harmony, answer",
            harmony,
            "<|start|>assistant",
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
            "|~hm|Yes."),
        Arguments.of(
            "functionary",
            functionary,
            "\n\n>>>",
            "all\nSure.\n>>>weather\n{\"city\": \"Rome\", \"days\": 3}",
            "|Sure.|" + call),
        Arguments.of("functionary, answer", functionary, ">>>", "all\nYes.", "|Yes."));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("answers")
  void takesAnswersApartHoweverTheyAreCut(
      String name, AnswerFormat format, String promptEnd, String answer, String expected) {
    assertThat(split(format, promptEnd, answer, List.of())).isEqualTo(expected);
    List<Integer> everywhere = new ArrayList<>();
    for (int i = 1; i < answer.length(); i++) {
      everywhere.add(i);
    }
    assertThat(split(format, promptEnd, answer, everywhere)).isEqualTo(expected);
    var random = new SplittableRandom(name.hashCode());
    for (int i = 0; i < 200; i++) {
      int odds = random.nextInt(2, 20);
      List<Integer> cuts = everywhere.stream().filter(c -> random.nextInt(odds) == 0).toList();
      assertThat(split(format, promptEnd, answer, cuts)).as("cut at %s", cuts).isEqualTo(expected);
    }
  }

  @Test
  void cutsMakeNoDifferenceForTextsByChance() {
    String[] pieces = {
      "<think>",
      "</think>",
      "<tool_call>",
      "</tool_call>",
      "<",
      "tool_call>",
      " ",
      "\n",
      "a",
      "{",
      "{\"name\":\"f\",\"arguments\":{}}",
      "<|channel|>",
      "<|message|>",
      "final",
      "<|end|>",
      ">>>",
      "all\n"
    };
    List<AnswerFormat> formats =
        List.of(hermes(), AnswerFormat.of("<|channel|> <|message|>"), AnswerFormat.of(">>>all"));
    var random = new SplittableRandom(1);
    for (int i = 0; i < 3000; i++) {
      StringBuilder answer = new StringBuilder();
      for (int n = random.nextInt(12); n > 0; n--) {
        answer.append(pieces[random.nextInt(pieces.length)]);
      }
      List<Integer> cuts = new ArrayList<>();
      for (int c = 1; c < answer.length(); c++) {
        if (random.nextInt(3) == 0) {
          cuts.add(c);
        }
      }
      AnswerFormat format = formats.get(i % formats.size());
      String text = answer.toString();
      assertThat(split(format, "", text, cuts))
          .as(text)
          .isEqualTo(split(format, "", text, List.of()));
    }
  }

  @Test
  void leavesCallsInTheTextWhenNoToolsWereOffered() {
    String answer = "<think>x</think><tool_call>{\"name\":\"f\"}</tool_call>";
    assertThat(split(hermes().withoutCalls(), "", answer, List.of()))
        .isEqualTo("|~x|<tool_call>{\"name\":\"f\"}</tool_call>");
  }
}
