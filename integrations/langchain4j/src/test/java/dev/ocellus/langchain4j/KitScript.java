package dev.ocellus.langchain4j;

import java.util.List;

/**
 * What the questions of LangChain4j's kit are answered with. A model of some billion weights would
 * find these answers itself; what is tested is everything around them.
 */
final class KitScript {
  /** If the prompt has this, the answer is that; the first that fits counts. */
  private record Line(String question, String answer) {}

  private static final List<Line> LINES =
      List.of(
          new Line("Translate: 'I love you'", "Ich liebe dich"),
          new Line("What is my favorite color?", "Your favorite color is green."),
          new Line("Say 'Hello World'", "Hello World"),
          new Line("JSON object containing a single 'city' field", "{\"city\": \"Berlin\"}"),
          new Line(
              "Describe both images", "The first image shows a cat, the second one shows dice."),
          new Line("What do you see?", "I see a cat."),
          new Line("How much is 2 + 2?", "The capital of Germany is Berlin, and 2 + 2 is 4."));

  private static final String ASSISTANT = "<|im_start|>assistant\n";
  private static final String JSON = "{\"city\":\"Berlin\"}";
  private static final String CAPITAL =
      "The capital of Germany is Berlin, which has been so since 1990, after it had been divided.";

  private KitScript() {}

  static String answer(String prompt) {
    String said = prompt.substring(prompt.lastIndexOf(ASSISTANT) + ASSISTANT.length());
    if (said.contains("{") && !prompt.contains("<tools>")) {
      return restOfJson(said);
    }
    String last = prompt.substring(prompt.lastIndexOf("<|im_start|>user"));
    if (last.contains("<tool_response>")) {
      return "The tools say: "
          + last.replaceAll("(?s).*<tool_response>\\s*|\\s*</tool_response>.*", "")
          + earlier(prompt);
    }
    if (prompt.contains("<tools>")) {
      return calls(prompt, last);
    }
    return LINES.stream()
        .filter(line -> last.contains(line.question))
        .map(Line::answer)
        .findFirst()
        .orElse(CAPITAL);
  }

  /** A JSON format had its first token chosen: only the rest is left to say. */
  private static String restOfJson(String said) {
    int n = said.replaceAll("\\s", "").length();
    return n > JSON.length() ? "" : JSON.substring(n);
  }

  /** What the tool before the last one said, when two were called at once. */
  private static String earlier(String prompt) {
    String[] responses = prompt.split("<tool_response>");
    return responses.length > 2 ? ", and " + responses[1].strip().split("</tool_response>")[0] : "";
  }

  private static String calls(String prompt, String last) {
    if (last.contains("time in France")) {
      return call("getWeather", "{\"city\": \"Munich\"}")
          + "\n"
          + call("getTime", "{\"country\": \"France\"}");
    }
    return prompt.contains("\"get_current_time\"")
        ? call("get_current_time", "{}")
        : call("getWeather", "{\"city\": \"Munich\"}");
  }

  private static String call(String name, String arguments) {
    return "<tool_call>\n{\"name\": \"%s\", \"arguments\": %s}\n</tool_call>"
        .formatted(name, arguments);
  }
}
