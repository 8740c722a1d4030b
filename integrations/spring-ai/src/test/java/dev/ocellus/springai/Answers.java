package dev.ocellus.springai;

import dev.ocellus.testkit.WeatherScript;

/** What the scripted model of these tests says. */
final class Answers {
  static final String LONG = "one two three four five six seven eight nine ten ".repeat(20);

  private Answers() {}

  static String to(String prompt) {
    if (WeatherScript.isAsked(prompt)) {
      return WeatherScript.answer(prompt);
    }
    String last = prompt.substring(prompt.lastIndexOf("<|im_start|>user"));
    return last.contains("Count") ? LONG : "Hello, how are you?";
  }
}
