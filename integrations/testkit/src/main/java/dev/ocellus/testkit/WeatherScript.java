package dev.ocellus.testkit;

/** Says what a model says that is offered a tool for the weather, and asked about it in Munich. */
public final class WeatherScript {
  private static final String CALL =
      "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Munich\"}}\n</tool_call>";

  private WeatherScript() {}

  /** Whether a prompt offers tools or has the result of one. */
  public static boolean isAsked(String prompt) {
    return prompt.contains("<tools>") || last(prompt).contains("<tool_response>");
  }

  /** A call, or what the tool said. */
  public static String answer(String prompt) {
    String last = last(prompt);
    return last.contains("<tool_response>")
        ? "It is " + last.replaceAll("(?s).*<tool_response>\\s*|\\s*</tool_response>.*", "").strip()
        : CALL;
  }

  private static String last(String prompt) {
    return prompt.substring(Math.max(0, prompt.lastIndexOf("<|im_start|>user")));
  }
}
