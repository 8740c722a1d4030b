package dev.ocellus.server.api;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.function.Function;

/** JSON that is written again and again with another text in it: a piece of a stream. */
public final class TextFrame {
  private final String before;
  private final String after;

  /**
   * @param json makes it, with a text that stands in it once
   */
  public TextFrame(Function<String, JsonNode> json) {
    String place = Ids.next("place-"); // which stands nowhere else
    String written = Json.write(json.apply(place));
    String quoted = '"' + place + '"';
    int at = written.indexOf(quoted);
    if (at < 0) {
      throw new IllegalArgumentException("the text does not stand in the JSON as it is");
    }
    this.before = written.substring(0, at + 1);
    this.after = written.substring(at + quoted.length() - 1);
  }

  /** The JSON with a text, on one line. */
  public String with(String text) {
    char[] escaped = JsonStringEncoder.getInstance().quoteAsString(text);
    return new StringBuilder(before.length() + escaped.length + after.length())
        .append(before)
        .append(escaped)
        .append(after)
        .toString();
  }
}
