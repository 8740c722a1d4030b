package dev.ocellus.vlm.tokenizer;

import java.util.Comparator;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Tokens that texts spell out as a whole, the longest first where several begin at a place. */
final class AddedTokens {
  /** Of no text at all. */
  private static final String NOWHERE = "(?!)";

  private final Map<String, Integer> ids;
  private final Pattern pattern;

  /**
   * @param ids of the tokens; the empty one is never found
   */
  AddedTokens(Map<String, Integer> ids) {
    this.ids = Map.copyOf(ids);
    String anyOfThem =
        ids.keySet().stream()
            .filter(token -> !token.isEmpty())
            .sorted(Comparator.comparingInt(String::length).reversed())
            .map(Pattern::quote)
            .collect(Collectors.joining("|"));
    pattern = Pattern.compile(anyOfThem.isEmpty() ? NOWHERE : anyOfThem);
  }

  /**
   * Goes through a text.
   *
   * @param between is given what stands before each token and behind the last one, even if it is
   *     empty
   * @param token is given the ids
   */
  void split(String text, Consumer<String> between, IntConsumer token) {
    int from = 0;
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      between.accept(text.substring(from, matcher.start()));
      token.accept(Objects.requireNonNull(ids.get(matcher.group())));
      from = matcher.end();
    }
    between.accept(text.substring(from));
  }
}
