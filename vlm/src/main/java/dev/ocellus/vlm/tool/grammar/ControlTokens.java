package dev.ocellus.vlm.tool.grammar;

import dev.ocellus.vlm.grammar.CharSet;
import dev.ocellus.vlm.grammar.GrammarExpr;
import dev.ocellus.vlm.grammar.GrammarVocabulary;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The control tokens of a vocabulary, for text that may hold them.
 *
 * @param shown those that become a part of the answer's text, such as markers of calls: from the
 *     token to its text
 * @param silent those that add no text
 */
public record ControlTokens(Map<Integer, String> shown, BitSet silent) {
  static final ControlTokens NONE = new ControlTokens(Map.of(), new BitSet());

  public ControlTokens {
    shown = Map.copyOf(shown);
    silent = (BitSet) silent.clone();
  }

  /** Those of a vocabulary, of which some are shown. */
  public static ControlTokens of(GrammarVocabulary vocabulary, Map<Integer, String> shown) {
    BitSet silent = new BitSet();
    for (int token = 0; token < vocabulary.size(); token++) {
      boolean mute = !vocabulary.hasText(token) && !vocabulary.ends(token);
      silent.set(token, mute && !shown.containsKey(token));
    }
    Map<Integer, String> mute = new LinkedHashMap<>(shown);
    mute.keySet().removeIf(token -> vocabulary.hasText(token) || vocabulary.ends(token));
    return new ControlTokens(mute, silent);
  }

  /** Exactly this text, of which parts may come as control tokens. */
  GrammarExpr markup(String text) {
    List<GrammarExpr> items = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      String best = "";
      int token = -1;
      for (Map.Entry<Integer, String> entry : shown.entrySet()) {
        if (entry.getValue().length() > best.length() && text.startsWith(entry.getValue(), at)) {
          best = entry.getValue();
          token = entry.getKey();
        }
      }
      if (token < 0) {
        int c = text.codePointAt(at);
        items.add(new GrammarExpr.Chars(CharSet.of(c, c)));
        at += Character.charCount(c);
      } else {
        items.add(
            new GrammarExpr.Choice(
                List.of(new GrammarExpr.Token(token, false), GrammarExpr.literal(best))));
        at += best.length();
      }
    }
    return items.size() == 1 ? items.getFirst() : new GrammarExpr.Sequence(items);
  }
}
