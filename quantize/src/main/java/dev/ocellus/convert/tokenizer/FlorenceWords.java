package dev.ocellus.convert.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What Florence-2's processor adds to the vocabulary of BART: places in the image, and marks around
 * what is there. They stand in answers and in what users write, so they are words of the model and
 * no control tokens.
 *
 * <p>The first checkpoints leave them to the code of their processor: <a
 * href="https://huggingface.co/microsoft/Florence-2-base/blob/main/processing_florence2.py">processing_florence2.py</a>.
 */
final class FlorenceWords {
  private static final int N_PLACES = 1000;

  /** In the order in which the processor adds them. */
  private static final List<String> ALL = all();

  private FlorenceWords() {}

  private static List<String> all() {
    List<String> words = new ArrayList<>(List.of("<od>", "</od>", "<ocr>", "</ocr>"));
    IntStream.range(0, N_PLACES).forEach(i -> words.add("<loc_" + i + ">"));
    for (String name : List.of("cap", "ncap", "dcap", "grounding", "seg")) {
      words.add("<" + name + ">");
      words.add("</" + name + ">");
    }
    words.add("<sep>");
    for (String name : List.of("region_cap", "region_to_desciption", "proposal", "poly")) {
      words.add("<" + name + ">");
      words.add("</" + name + ">");
    }
    words.add("<and>");
    return List.copyOf(words);
  }

  /** Makes words of those that are there; where there are none, they follow the last token. */
  static void add(Vocabulary vocabulary) {
    Map<String, Integer> ids = new HashMap<>();
    int end = 0;
    for (int id = 0; id < vocabulary.size(); id++) {
      if (!vocabulary.isUnused(id)) {
        ids.put(vocabulary.text(id), id);
        end = id + 1;
      }
    }
    if (!ids.containsKey("<loc_0>") && end + ALL.size() <= vocabulary.size()) {
      for (int i = 0; i < ALL.size(); i++) {
        ids.put(ALL.get(i), end + i);
      }
    }
    for (String word : ALL) {
      Integer id = ids.get(word);
      if (id != null) {
        vocabulary.set(id, word, 0, TokenKind.USER_DEFINED);
      }
    }
  }
}
