package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.ocellus.Setting;
import dev.ocellus.convert.common.ConversionException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * Recognises how a byte-level BPE cuts text into words before it merges, by what {@code
 * tokenizer.json} says of it: the steps and their regular expressions. llama.cpp knows such ways by
 * name ({@code llama-vocab.cpp} of v0.4.0); {@code pre-tokenizers.json} lists which steps have
 * which name.
 */
final class PreTokenizers {
  private static final String RESOURCE = "pre-tokenizers.json";

  /** Llama 3's expression where the vocabulary is searched for whole words first, and where not. */
  private static final String LLAMA3 = "llama-bpe";

  private static final String LLAMA3_MERGES_ONLY = "smaug-bpe";

  private static final Map<List<String>, String> KNOWN = read();

  private PreTokenizers() {}

  /**
   * The name of the pre-tokenizer.
   *
   * @throws ConversionException if it is none of those known
   */
  static String recognise(Path file, TokenizerJson tokenizer) {
    List<String> steps = new ArrayList<>();
    collect(tokenizer.part("pre_tokenizer"), steps);
    String name = KNOWN.get(steps);
    if (name == null) {
      throw new ConversionException(
              "%s: no pre-tokenizer of llama.cpp is known for the steps %s. Known are %s; one can be forced, and a wrong one gives wrong tokens for some texts."
                  .formatted(file, shown(steps), new TreeSet<>(KNOWN.values())))
          .about(Setting.PRE_TOKENIZER);
    }
    boolean wholeWords = tokenizer.modelFlag("ignore_merges");
    return name.equals(LLAMA3) && !wholeWords ? LLAMA3_MERGES_ONLY : name;
  }

  private static void collect(JsonNode node, List<String> steps) {
    switch (node.path("type").asText()) {
      case "Sequence" -> node.path("pretokenizers").forEach(n -> collect(n, steps));
      case "ByteLevel" ->
          steps.add(
              node.path("add_prefix_space").asBoolean(false)
                  ? "prefix space"
                  : node.path("use_regex").asBoolean(true) ? "gpt2" : "bytes");
      case "Digits" -> steps.add(node.path("individual_digits").asBoolean() ? "digit" : "digits");
      case "Punctuation" -> steps.add("punctuation");
      case "Split" -> steps.add(split(node));
      default -> steps.add(node.path("type").asText("none"));
    }
  }

  /** A split keeps the pieces either as what matches, or as what stands between and matches. */
  private static String split(JsonNode node) {
    boolean invert = node.path("invert").asBoolean(false);
    String behavior = node.path("behavior").asText();
    if (!(behavior.equals("Isolated") || (behavior.equals("Removed") && invert))) {
      return "split (%s, invert %s)".formatted(behavior, invert);
    }
    JsonNode pattern = node.path("pattern");
    String regex = pattern.path("Regex").asText(pattern.path("String").asText());
    String same = normalized(regex);
    if (same.equals("\\p{N}")) {
      return "digit";
    }
    return same.equals("\\p{N}+") ? "digits" : "split " + same;
  }

  /** Files write line ends as themselves or as escapes, and some counts of one. */
  private static String normalized(String regex) {
    return regex.replace("\r", "\\r").replace("\n", "\\n").replace("\\p{N}{1}", "\\p{N}");
  }

  private static String shown(List<String> steps) {
    String s = steps.toString();
    return s.length() <= 400 ? s : s.substring(0, 400) + "…";
  }

  private static Map<List<String>, String> read() {
    try (InputStream in = PreTokenizers.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing in this build");
      }
      Map<List<String>, String> out = new LinkedHashMap<>();
      for (JsonNode entry : new ObjectMapper().readTree(in)) {
        List<String> steps = new ArrayList<>();
        entry.get("steps").forEach(s -> steps.add(s.asText()));
        out.put(steps, entry.get("name").asText());
      }
      return out;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
