package dev.ocellus.llama;

import static dev.ocellus.llama.ArchitectureTraits.Experts.ALWAYS;
import static dev.ocellus.llama.ArchitectureTraits.Experts.ONE_IS_NONE;
import static dev.ocellus.llama.ArchitectureTraits.Experts.OPTIONAL;
import static dev.ocellus.llama.ArchitectureTraits.Rotary.PART;
import static dev.ocellus.llama.ArchitectureTraits.Rotary.PART_BY_SECTIONS;
import static dev.ocellus.llama.ArchitectureTraits.Rotary.PART_OR_SECTIONS;
import static dev.ocellus.llama.ArchitectureTraits.Rotary.SECTIONS;
import static dev.ocellus.llama.ArchitectureTraits.Rotary.WHOLE_HEAD;
import static dev.ocellus.llama.ArchitectureTraits.Rotary.WHOLE_OR_SECTIONS;
import static dev.ocellus.llama.ArchitectureTraits.rotating;

import dev.ocellus.Setting;
import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.llama.ArchitectureTraits.Window;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The text architectures that are let through to libllama, and what its graph of each one asserts
 * about the hyperparameters. libllama knows many more; it would abort the process on a damaged file
 * of one of them, as nobody has gone through its graph yet, so they are refused.
 *
 * <p>Source: {@code src/models/*.cpp} of llama.cpp v0.4.0.
 */
enum TextArchitecture {
  LLAMA("llama", rotating(WHOLE_HEAD).experts(OPTIONAL)),
  MISTRAL3("mistral3", rotating(WHOLE_HEAD)),
  SMOLLM3("smollm3", rotating(WHOLE_HEAD)),
  QWEN("qwen", rotating(WHOLE_HEAD).headsFillEmbedding()),
  QWEN2("qwen2", rotating(WHOLE_HEAD).headsFillEmbedding()),
  QWEN2VL("qwen2vl", rotating(SECTIONS).headsFillEmbedding()),
  QWEN2MOE("qwen2moe", rotating(WHOLE_HEAD).headsFillEmbedding().experts(ALWAYS)),
  QWEN3("qwen3", rotating(WHOLE_HEAD)),
  QWEN3MOE("qwen3moe", rotating(WHOLE_HEAD).experts(ALWAYS)),
  QWEN3VL("qwen3vl", rotating(SECTIONS)),
  QWEN3VLMOE("qwen3vlmoe", rotating(SECTIONS).experts(ALWAYS)),
  QWEN35(
      "qwen35", rotating(PART_BY_SECTIONS).attention(HybridBlocks::byInterval).nextTokenBlocks()),
  QWEN35MOE(
      "qwen35moe",
      rotating(PART_BY_SECTIONS)
          .attention(HybridBlocks::byInterval)
          .nextTokenBlocks()
          .experts(ALWAYS)),
  GEMMA("gemma", rotating(PART)),
  GEMMA2("gemma2", rotating(PART).window(Window.ALWAYS, 2)),
  GEMMA3("gemma3", rotating(PART).window(Window.OPTIONAL, 6)),
  GEMMA4(
      "gemma4",
      rotating(PART)
          .attention(UnequalBlocks::gemma4)
          .window(Window.ALWAYS, 1)
          .blocksDiffer()
          .experts(OPTIONAL)),
  INTERNLM2("internlm2", rotating(WHOLE_HEAD).headsFillEmbedding()),
  PHI2("phi2", rotating(PART).headsFillEmbedding()),
  PHI3("phi3", rotating(PART).headsFillEmbedding().rules(ArchitectureRule::someQueries)),
  PHIMOE("phimoe", rotating(PART).headsFillEmbedding().experts(ALWAYS)),
  GLM4("glm4", rotating(PART_OR_SECTIONS).nextTokenBlocks().embeddingsNeedSections()),
  GLM4MOE(
      "glm4moe",
      rotating(PART_OR_SECTIONS)
          .nextTokenBlocks()
          .embeddingsNeedSections()
          .experts(ALWAYS)
          .expertGroups()
          .rules(ArchitectureRule::leadingDense)),
  GRANITE("granite", rotating(WHOLE_HEAD).experts(OPTIONAL)),
  GRANITEMOE("granitemoe", rotating(WHOLE_HEAD).experts(OPTIONAL)),
  GRANITEHYBRID(
      "granitehybrid", rotating(PART).attention(HybridBlocks::stateSpaces).experts(OPTIONAL)),
  FALCON_H1("falcon-h1", rotating(PART).attention(HybridBlocks::sideBySide)),
  LFM2(
      "lfm2",
      rotating(PART)
          .attention(HybridBlocks::shortConvolutions)
          .headsFillEmbedding()
          .window(Window.OPTIONAL, 1)),
  LFM2MOE(
      "lfm2moe",
      rotating(PART)
          .attention(HybridBlocks::shortConvolutions)
          .headsFillEmbedding()
          .experts(ALWAYS)
          .rules(ArchitectureRule::leadingDense, ArchitectureRule::knownGating)),
  ERNIE4_5("ernie4_5", rotating(WHOLE_HEAD)),
  ERNIE4_5_MOE(
      "ernie4_5-moe",
      rotating(WHOLE_HEAD)
          .experts(ALWAYS)
          .rules(ArchitectureRule::leadingDense, ArchitectureRule::expertsInEveryBlock)),
  PADDLEOCR("paddleocr", rotating(SECTIONS)),
  OLMO2(
      "olmo2",
      rotating(WHOLE_HEAD)
          .headsFillEmbedding()
          .window(Window.OPTIONAL, 4)
          .rules(ArchitectureRule::separateQueries)),
  OLMOE(
      "olmoe",
      rotating(WHOLE_HEAD)
          .headsFillEmbedding()
          .experts(ALWAYS)
          .rules(ArchitectureRule::separateQueries, ArchitectureRule::ownKeys)),
  COMMAND_R("command-r", rotating(PART).headsFillEmbedding()),
  COHERE2("cohere2", rotating(PART).headsFillEmbedding().window(Window.ALWAYS, 4)),
  /** Has windows with 64 blocks only, and a size of them always. */
  EXAONE4(
      "exaone4",
      rotating(WHOLE_HEAD)
          .headsFillEmbedding()
          .window(Window.ALWAYS, 4)
          .nextTokenBlocks()
          .notSaved()),
  STARCODER2("starcoder2", rotating(WHOLE_HEAD).headsFillEmbedding()),
  STABLELM("stablelm", rotating(PART).headsFillEmbedding()),
  NEMOTRON("nemotron", rotating(PART).headsFillEmbedding()),
  SEED_OSS("seed_oss", rotating(WHOLE_HEAD)),
  MINICPM("minicpm", rotating(WHOLE_HEAD).experts(OPTIONAL)),
  MINICPM3("minicpm3", rotating(PART).attention(UnequalBlocks::lowRank).queriesOfLowRank()),
  HUNYUAN_DENSE(
      "hunyuan-dense",
      rotating(WHOLE_HEAD).experts(ONE_IS_NONE).rules(ArchitectureRule::noSections)),
  HUNYUAN_VL("hunyuan_vl", rotating(WHOLE_OR_SECTIONS).experts(ONE_IS_NONE)),
  HUNYUAN_MOE("hunyuan-moe", rotating(WHOLE_HEAD).experts(ALWAYS)),
  GPT_OSS("gpt-oss", rotating(WHOLE_HEAD).window(Window.ALWAYS, 2).experts(ALWAYS)),
  LLAMA4(
      "llama4",
      rotating(WHOLE_HEAD)
          .window(Window.ALWAYS, 4)
          .experts(ALWAYS)
          .notSaved()
          .rules(ArchitectureRule::chunks)),
  DEEPSEEK2(
      "deepseek2",
      rotating(PART)
          .attention(UnequalBlocks::lowRank)
          .latentCache()
          .nextTokenBlocks()
          .experts(OPTIONAL)
          .expertGroups()
          .rules(
              ArchitectureRule::leadingDense,
              ArchitectureRule::expertsWhereNotDense,
              ArchitectureRule::temperature)),
  /** The graph has no heads of keys of its own, and one base of positions only. */
  DEEPSEEK2_OCR(
      "deepseek2-ocr",
      rotating(WHOLE_HEAD)
          .headsFillEmbedding()
          .experts(OPTIONAL)
          .rules(
              ArchitectureRule::leadingDense,
              ArchitectureRule::expertsWhereNotDense,
              ArchitectureRule::ownKeys,
              ArchitectureRule::usualBase));

  /**
   * Text models that graphs of vision-language models compute; libllama has none or half of one.
   */
  private static final Set<String> GRAPHS = Set.of("opt", "t5");

  /** What a file with an image encoder says; it belongs to the mmproj. */
  private static final String PROJECTOR = "clip";

  final String ggufName;
  final ArchitectureTraits traits;

  TextArchitecture(String ggufName, ArchitectureTraits traits) {
    this.ggufName = ggufName;
    this.traits = traits;
  }

  /**
   * The architecture of this name.
   *
   * @throws UnsupportedArchitectureException if it is none of these, with the remedy
   */
  static TextArchitecture of(String name, Path file) {
    for (TextArchitecture a : values()) {
      if (a.ggufName.equals(name)) {
        return a;
      }
    }
    if (name.equals(PROJECTOR)) {
      throw new UnsupportedArchitectureException(
              "%s is no text model: it holds an image encoder and projector. Give it as the mmproj, and its text model as the model."
                  .formatted(file))
          .about(Setting.MMPROJ, Setting.MODEL);
    }
    if (GRAPHS.contains(name)) {
      throw new UnsupportedArchitectureException(
          "%s: text models of the architecture \"%s\" are not computed by libllama, which this needs. They answer together with their image encoder; compare or measure them that way."
              .formatted(file, name));
    }
    String supported =
        Arrays.stream(values()).map(a -> a.ggufName).collect(Collectors.joining(", "));
    if (Known.NAMES.contains(name)) {
      throw new UnsupportedArchitectureException(
              "%s: the text architecture \"%s\" is not one of those whose files are checked in this release, so that a damaged one could end the process. Checked are %s. If you trust the file, allow unchecked architectures."
                  .formatted(file, name, supported))
          .about(Setting.UNCHECKED_ARCHITECTURE);
    }
    String close = closest(name);
    throw new UnsupportedArchitectureException(
        "%s: unknown architecture \"%s\"%s. Supported are %s. The file is damaged, or newer than this program."
            .formatted(
                file,
                shortened(name),
                close == null ? "" : ", similar to \"" + close + "\"",
                supported));
  }

  /**
   * The architecture of this name, or null for one that is not checked and that the caller allows.
   *
   * @throws UnsupportedArchitectureException if libllama does not know it either
   */
  static @Nullable TextArchitecture of(String name, Path file, boolean allowUnchecked) {
    boolean listed = Arrays.stream(values()).anyMatch(a -> a.ggufName.equals(name));
    return allowUnchecked && !listed && Known.NAMES.contains(name) ? null : of(name, file);
  }

  /** For the vocabulary alone every architecture that libllama has a name for will do. */
  static void requireKnown(String name, Path file) {
    if (!Known.NAMES.contains(name)) {
      of(name, file);
    }
  }

  private static String shortened(String name) {
    return name.length() <= 64 ? name : name.substring(0, 64) + "…";
  }

  /** Loaded only when an architecture is refused. */
  private static final class Known {
    static final List<String> NAMES = read();

    private static List<String> read() {
      try (InputStream in = TextArchitecture.class.getResourceAsStream("architectures.txt")) {
        if (in == null) {
          throw new IllegalStateException("architectures.txt is missing in this build");
        }
        return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))
            .lines()
            .filter(line -> !line.startsWith("#"))
            .toList();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private static @Nullable String closest(String name) {
    if (name.length() > 32) {
      return null;
    }
    return Known.NAMES.stream()
        .min(Comparator.comparingInt(known -> distance(name, known)))
        .filter(known -> distance(name, known) <= 2)
        .orElse(null);
  }

  /** Edits that turn one word into the other (Levenshtein). */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
