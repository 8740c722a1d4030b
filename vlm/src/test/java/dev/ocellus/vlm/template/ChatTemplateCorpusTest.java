package dev.ocellus.vlm.template;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Renderings compared with the reference's, byte for byte. */
class ChatTemplateCorpusTest {
  private static List<String> differences(List<Corpus.Case> cases) {
    Map<String, ChatTemplate> compiled = new HashMap<>();
    List<String> differences = new ArrayList<>();
    for (Corpus.Case c : cases) {
      String got;
      try {
        ChatTemplate template = compiled.computeIfAbsent(c.template(), ChatTemplate::compile);
        got = template.render(c.context(), Corpus.NOW).text();
      } catch (TemplateException e) {
        if (c.expected() != null) {
          differences.add(c.name() + ": " + e.getMessage());
        }
        continue;
      }
      if (!got.equals(c.expected())) {
        differences.add(c.name() + ":\nexpected " + c.expected() + "\nfound    " + got);
      }
    }
    return differences;
  }

  @Test
  void rendersEveryTemplateAsTheReferenceDoes() {
    List<Corpus.Case> cases = Corpus.selected().renderings();
    assertThat(cases).isNotEmpty();
    assertThat(differences(cases)).isEmpty();
  }

  @Test
  void agreesOnTheSemanticsOfTheLanguage() {
    boolean bundled = System.getProperty("ocellus.templates") == null;
    List<Corpus.Case> cases = new ArrayList<>(Corpus.selected().lines("micro", bundled));
    cases.addAll(Corpus.selected().lines("probes", bundled));
    if (bundled) {
      assertThat(cases).hasSizeGreaterThan(1700);
    }
    assertThat(differences(cases)).isEmpty();
  }
}
