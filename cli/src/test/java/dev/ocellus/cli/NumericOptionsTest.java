package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.terminal.Io;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** Every option of every command that is a number, as picocli's model of the commands has them. */
class NumericOptionsTest {
  private static final Set<Class<?>> WHOLE =
      Set.of(byte.class, short.class, int.class, long.class, Integer.class, Long.class);

  private static final Set<Class<?>> FRACTIONAL =
      Set.of(float.class, double.class, Float.class, Double.class, BigDecimal.class);

  /** What a command needs besides what it always needs, to go on to its first file. */
  private static final Map<String, List<String>> NEEDED =
      Map.ofEntries(
          Map.entry("chat", List.of("-p", "x", "-m", "none.gguf")),
          Map.entry("describe", List.of("none.png")),
          Map.entry("embed", List.of("--text", "x", "-m", "none.gguf", "--mmproj", "none.gguf")),
          Map.entry("classify", List.of("--label", "x")),
          Map.entry("generate", List.of("-m", "none.gguf")),
          Map.entry("search", List.of("x")),
          Map.entry("imatrix", List.of("-f", "none.txt")),
          Map.entry("quantize", List.of("none.gguf", "out.gguf", "Q8_0")),
          Map.entry("bench", List.of("-m", "none.gguf")),
          Map.entry("serve", List.of("-m", "none.gguf")));

  /** Options that need beam search. */
  private static final Set<String> OF_BEAMS =
      Set.of(
          "--length-penalty", "--repetition-penalty", "--no-repeat-ngram-size", "--min-new-tokens");

  @TempDir Path directory;

  /**
   * @param command words that call it
   * @param first whether no command before has the same option
   */
  record Numeric(List<String> command, OptionSpec option, boolean first) {
    String name() {
      return option.names()[0];
    }

    Range range() {
      Range range = ((Field) option.userObject()).getAnnotation(Range.class);
      return Objects.requireNonNull(range, this + " says not with @Range what it takes");
    }

    boolean isWhole() {
      return WHOLE.contains(option.type());
    }

    @Override
    public String toString() {
      return String.join(" ", command) + " " + name();
    }
  }

  static List<Numeric> all() {
    var io =
        new Io(
            InputStream.nullInputStream(), System.out, System.err, false, false, false, Map.of());
    List<Numeric> all = new ArrayList<>();
    add(all, List.of(), Ocellus.whole(io), new HashSet<>());
    return all;
  }

  private static void add(
      List<Numeric> all, List<String> words, CommandLine line, Set<Object> known) {
    for (OptionSpec option : line.getCommandSpec().options()) {
      if (WHOLE.contains(option.type()) || FRACTIONAL.contains(option.type())) {
        all.add(new Numeric(words, option, known.add(option.userObject())));
      }
    }
    line.getSubcommands()
        .forEach((name, command) -> {
          List<String> longer = new ArrayList<>(words);
          longer.add(name);
          add(all, longer, command, known);
        });
  }

  @Test
  void areFoundInCommandsMixinsAndGroups() {
    assertThat(all().stream().map(Numeric::toString))
        .hasSizeGreaterThan(200)
        .contains("bench -r", "chat --temp", "classify -t", "serve --max-idle", "dedupe -c");
  }

  @ParameterizedTest
  @MethodSource("all")
  void refuseWhatTheyDoNotTakeBeforeAnythingIsOpened(Numeric option) {
    List<String> wrong = wrong(option);
    for (String value : option.first() ? wrong : wrong.subList(0, 1)) {
      Cli run = run(option, value, List.of());
      assertThat(run.code()).as(value + ": " + run.err()).isEqualTo(2);
      assertThat(run.err())
          .startsWith("ocellus: error: " + option.name() + ": expected ")
          .contains(", found " + value + "\n");
      assertThat(run.out()).isEmpty();
    }
  }

  /** Values at the ends, of which none may be refused later, when a model has been loaded. */
  @ParameterizedTest
  @MethodSource("all")
  void takeTheirWholeRange(Numeric option) {
    if (!option.first()) {
      return; // the same field as in a command before, with the same range
    }
    List<String> needed =
        new ArrayList<>(NEEDED.getOrDefault(option.command().getFirst(), List.of()));
    if (OF_BEAMS.contains(option.name())) {
      needed.add("--beams=2");
    }
    if (option.name().equals("--target-bpw")) {
      needed.removeLast(); // it stands for a recipe
    }
    for (String value : ends(option)) {
      Cli run = run(option, value, needed);
      assertThat(run.err()).as(value).contains("no such file");
      assertThat(run.code()).isEqualTo(1);
    }
  }

  private Cli run(Numeric option, String value, List<String> more) {
    List<Object> arguments = new ArrayList<>(option.command());
    arguments.add(option.name() + "=" + value);
    CommandSpec command = option.option().command();
    String none = directory.resolve("none").toString();
    for (OptionSpec other : command.options()) {
      if (other.required()) {
        arguments.add(other.names()[0] + "=" + none);
      }
    }
    for (PositionalParamSpec positional : command.positionalParameters()) {
      if (positional.required()) {
        arguments.add(none);
      }
    }
    arguments.addAll(more);
    return Cli.run(arguments.toArray());
  }

  /** Numbers that no option takes, and those just outside of the range. */
  private static List<String> wrong(Numeric option) {
    Range range = option.range();
    List<String> wrong = new ArrayList<>();
    if (option.isWhole()) {
      if (Double.isFinite(range.min())) {
        wrong.add(whole(range.min() - 1 == range.or() ? range.min() - 2 : range.min() - 1));
        wrong.add("-5");
      }
      if (Double.isFinite(range.max())) {
        wrong.add(whole(range.max() + 1));
      }
      if (!Double.isNaN(range.or())) {
        wrong.add(whole(range.or() + 1));
      }
      wrong.addAll(List.of("99999999999999999999", "1.5", "many"));
    } else {
      if (Double.isFinite(range.min())) {
        wrong.add(Double.toString(range.min() - 0.01));
      }
      if (Double.isFinite(range.above())) {
        wrong.add(Double.toString(range.above()));
      }
      if (Double.isFinite(range.max())) {
        wrong.add(Double.toString(range.max() + 0.01));
      }
      wrong.addAll(List.of("NaN", "Infinity", "-Infinity", "1e999", "many"));
    }
    return wrong;
  }

  private static List<String> ends(Numeric option) {
    Range range = option.range();
    List<String> ends = new ArrayList<>();
    if (option.isWhole()) {
      boolean isInt =
          option.option().type() == int.class || option.option().type() == Integer.class;
      long least = isInt ? Integer.MIN_VALUE : Long.MIN_VALUE;
      long most = isInt ? Integer.MAX_VALUE : Long.MAX_VALUE;
      ends.add(Long.toString(Double.isFinite(range.min()) ? (long) range.min() : least));
      ends.add(Long.toString(Double.isFinite(range.max()) ? (long) range.max() : most));
      if (!Double.isNaN(range.or())) {
        ends.add(whole(range.or()));
      }
    } else {
      ends.add(
          Double.isFinite(range.min())
              ? Double.toString(range.min())
              : Double.isFinite(range.above()) ? Double.toString(range.above() + 0.01) : "-1e30");
      ends.add(Double.isFinite(range.max()) ? Double.toString(range.max()) : "1e30");
    }
    return ends;
  }

  private static String whole(double number) {
    return Long.toString((long) number);
  }
}
