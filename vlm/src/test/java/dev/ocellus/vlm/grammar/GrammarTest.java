package dev.ocellus.vlm.grammar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GrammarTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "root ::= \"a\" | \"b\" ~ a ~ c",
        "root ::= [a-c]+ ~ abc ~ abd",
        "root ::= [^a-c] ~ x ~ b",
        "root ::= . ~ é ~ éé",
        "root ::= \"ab\"* ~ abab ~ aba",
        "root ::= (\"a\" | \"b\") \"c\"? ~ b ~ ab",
        "root ::= \"a\"{2} ~ aa ~ aaa",
        "root ::= \"a\"{2,} ~ aaaa ~ a",
        "root ::= \"a\"{1,3} ~ aaa ~ aaaa",
        "root ::= (\"a\"? \"b\"?){2} ~ bab ~ baba",
        "root ::= \"\\x41\\u00e9\\U0001F600\\\"\\\\\\[\\]\\-\" ~ Aé😀\"\\[]- ~ A",
        "root ::= [\\x41-\\x43\\]\\-] ~ ] ~ D",
        "root ::= [a-] ~ - ~ b",
        "root ::= x # note ~ y ~ x",
        "a ::= \"z\" | \"(\" root \")\" ~ z ~ zz",
      })
  void matchesAsGbnfDoes(String gbnf, String good, String bad) {
    String whole =
        gbnf.startsWith("a ::=") ? "root ::= a\n" + gbnf : gbnf + "\nx ::= \"y\" # the rule\n";
    Grammar grammar = Grammar.parse(whole);
    assertThat(grammar.matches(good)).as("%s matches %s", gbnf, good).isTrue();
    assertThat(grammar.matches(bad)).as("%s matches %s", gbnf, bad).isFalse();
  }

  @Test
  void readsLineEndsInGroupsAndBehindBars() {
    Grammar grammar =
        Grammar.parse(
            "\n# first\nroot ::=\r\n  \"a\" (\n \"b\"\n | \"c\"\n) |\n  \"d\"\r\n\nother ::= \"e\"");
    assertThat(grammar.matches("ac")).isTrue();
    assertThat(grammar.matches("d")).isTrue();
    assertThat(grammar.matches("e")).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "root ::= rot ~ 1 ~ 10 ~ there is no rule 'rot'",
        "root ::= \"a ~ 1 ~ 10 ~ not closed",
        "root ::= [a ~ 1 ~ 10 ~ not closed",
        "root ::= (\"a\" ~ 1 ~ 14 ~ expected ')'",
        "root ::= [] ~ 1 ~ 10 ~ matches no character",
        "root ::= [z-a] ~ 1 ~ 11 ~ ends before it begins",
        "root ::= * ~ 1 ~ 10 ~ nothing in front",
        "root ::= \"a\"{3,2} ~ 1 ~ 13 ~ at least 3 and at most 2",
        "root ::= \"a\"{x} ~ 1 ~ 14 ~ expected a number",
        "root ::= \"\\q\" ~ 1 ~ 11 ~ unknown escape",
        "root ::= \"\\u12\" ~ 1 ~ 11 ~ 4 hexadecimal digits",
        "root = \"a\" ~ 1 ~ 6 ~ expected ::=",
        "root ::= my_rule ~ 1 ~ 12 ~ names have letters",
        "root ::= <think> ~ 1 ~ 10 ~ no single token <think>",
        "root ::= a|a ::= a \"x\" / \"y\" ~ 2 ~ 7 ~ left recursion: 'a' begins with itself",
        "root ::= a|a ::= b? c|b ::= \"b\"|c ::= a \"x\" / \"y\" ~ 4 ~ 7 ~ left recursion",
        "root ::= (root)* \"x\" ~ 1 ~ 11 ~ left recursion",
        "root ::= \"a\" b|b ::= \"(\" b \")\" ~ 2 ~ 1 ~ 'b' can never end",
        "root ::= \"a\"|root ::= \"b\" ~ 2 ~ 1 ~ defined twice",
        "|  # nothing ~ 1 ~ 1 ~ found none",
      })
  void namesThePlaceOfAnError(String gbnf, int line, int column, String message) {
    String text = gbnf.replace('|', '\n').replace(" / ", " | ");
    assertThatThrownBy(() -> Grammar.parse(text))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining(message)
        .asInstanceOf(type(GrammarException.class))
        .satisfies(e -> {
          assertThat(e.line()).isEqualTo(line);
          assertThat(e.column()).isEqualTo(column);
        });
  }

  @Test
  void refusesAGrammarWithoutRoot() {
    assertThatThrownBy(() -> Grammar.parse("start ::= \"a\""))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("named 'root'");
  }

  @Test
  void acceptsCharactersInParts() {
    byte[] bytes = "é😀".getBytes(StandardCharsets.UTF_8);
    GrammarMatcher matcher = Grammar.parse("root ::= [à-ï] [\\U0001F600-\\U0001F610]").matcher();
    for (int i = 0; i < bytes.length; i++) {
      assertThat(matcher.isComplete()).isFalse();
      assertThat(matcher.accept(new byte[] {bytes[i]})).isTrue();
    }
    assertThat(matcher.isComplete()).isTrue();
    assertThat(matcher.mustEnd()).isTrue();
  }

  @Test
  void refusesAPartOfACharacterThatCannotMatch() {
    byte[] bytes = "Ж".getBytes(StandardCharsets.UTF_8);
    GrammarMatcher matcher = Grammar.parse("root ::= [à-ï]").matcher();
    assertThat(matcher.accept(new byte[] {bytes[0]})).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"C0 80", "ED A0 80", "F4 90 80 80", "F8", "80", "E0 80", "41 FF"})
  void refusesBytesThatAreNoUtf8(String hex) {
    GrammarMatcher matcher = Grammar.parse("root ::= .*").matcher();
    boolean accepted = true;
    for (String b : hex.split(" ")) {
      accepted = matcher.accept(new byte[] {(byte) Integer.parseInt(b, 16)});
    }
    assertThat(accepted).isFalse();
  }

  @Test
  void countsLongRepetitionsExactly() {
    Grammar grammar = Grammar.parse("root ::= [a-z]{1000,100000} \"!\"");
    assertThat(grammar.matches("a".repeat(999) + "!")).isFalse();
    assertThat(grammar.matches("a".repeat(1000) + "!")).isTrue();
    assertThat(grammar.matches("a".repeat(100_000) + "!")).isTrue();
    assertThat(grammar.matches("a".repeat(100_001) + "!")).isFalse();
  }

  @Test
  void followsDeepNesting() {
    Grammar grammar = Grammar.parse("root ::= \"[\" root? \"]\"");
    int n = 100_000;
    assertThat(grammar.matches("[".repeat(n) + "]".repeat(n))).isTrue();
    assertThat(grammar.matches("[".repeat(n) + "]".repeat(n - 1))).isFalse();
  }

  @Test
  void endsInTimeOnAmbiguousGrammars() {
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          Grammar many = Grammar.parse("root ::= (\"a\" | \"a\" | \"a\"+ | \"a\"*)* \"b\"");
          assertThat(many.matches("a".repeat(2000) + "b")).isTrue();
          Grammar counted = Grammar.parse("root ::= (\"a\"+){1,1000} \"b\"");
          assertThat(counted.matches("a".repeat(1500) + "b")).isTrue();
        });
  }

  @Test
  void saysThatAGrammarIsTooAmbiguous() {
    Grammar grammar = Grammar.parse("root ::= (\"a\"+ (\"b\"?){0,900}){1,900} \"c\"");
    assertThatThrownBy(() -> grammar.matches("a".repeat(400) + "c"))
        .isInstanceOf(GrammarException.class)
        .hasMessageContaining("too ambiguous");
  }

  @Test
  void survivesHostileSources() {
    for (String source :
        new String[] {
          "root ::= " + "(".repeat(100_000),
          "root ::= " + "(".repeat(150) + "\"a\"" + ")*".repeat(150),
          "root ::= \"a\"" + "{1000000}".repeat(1) + "{1000000}{1000000}",
          "root ::= \"" + "a".repeat(1_000_000) + "\"",
          "root ::= [" + "a-b".repeat(10_000),
          "\uD800 ::= x",
          "root ::= \"\uD800\"",
          "root ::= <[99999999999999]>",
          "root ::=" + " x".repeat(10) + "\nx ::= x0\n" + chain(20_000),
        }) {
      Assertions.assertTimeoutPreemptively(
          Duration.ofSeconds(20),
          () -> {
            try {
              Grammar.parse(source).matcher().accept("a");
            } catch (GrammarException refused) {
              assertThat(refused).hasMessageStartingWith("grammar");
            }
          });
    }
  }

  private static String chain(int n) {
    StringBuilder rules = new StringBuilder();
    for (int i = 0; i < n; i++) {
      rules.append("x").append(i).append(" ::= x").append(i + 1).append("\n");
    }
    return rules.append("x").append(n).append(" ::= \"a\"\n").toString();
  }

  @Test
  void findsTheShortestEnd() {
    GrammarMatcher matcher =
        Grammar.parse(
                "root ::= \"[\" (item (\",\" item)*)? \"]\"\nitem ::= \"\\\"\" [a-z]{3,} \"\\\"\" | root")
            .matcher();
    assertThat(matcher.accept("[[\"ab")).isTrue();
    String end = matcher.shortestEnd();
    assertThat(end).hasSize(4).endsWith("\"]]");
  }
}
