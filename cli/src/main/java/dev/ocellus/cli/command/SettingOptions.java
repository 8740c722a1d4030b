package dev.ocellus.cli.command;

import dev.ocellus.Setting;
import dev.ocellus.SettingsRelated;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/** The options of the settings that the library's exceptions name. */
public final class SettingOptions {
  private static final Map<Setting, List<String>> NAMES = names();

  private SettingOptions() {}

  private static Map<Setting, List<String>> names() {
    Map<Setting, List<String>> names = new EnumMap<>(Setting.class);
    names.put(Setting.MODEL, List.of("-m"));
    names.put(Setting.MMPROJ, List.of("--mmproj"));
    names.put(Setting.CHAT_TEMPLATE, List.of("--chat-template"));
    names.put(Setting.UNCHECKED_ARCHITECTURE, List.of("--allow-unchecked"));
    names.put(Setting.GPU_LAYERS, List.of("-ngl"));
    names.put(Setting.CONTEXT_SIZE, List.of("-c"));
    names.put(Setting.BATCH, List.of("-b"));
    names.put(Setting.MICRO_BATCH, List.of("-ub"));
    names.put(Setting.THREADS, List.of("-t"));
    names.put(Setting.THREADS_BATCH, List.of("-tb"));
    names.put(Setting.CACHE_TYPE_K, List.of("-ctk"));
    names.put(Setting.CACHE_TYPE_V, List.of("-ctv"));
    names.put(Setting.FLASH_ATTENTION, List.of("-fa"));
    names.put(Setting.DRAFT_MODEL, List.of("-md"));
    names.put(Setting.DRAFT_MAX, List.of("--draft-max"));
    names.put(Setting.DRAFT_MIN_PROBABILITY, List.of("--draft-p-min"));
    names.put(Setting.PARALLEL, List.of("--parallel"));
    names.put(Setting.PAN_AND_SCAN, List.of("--pan-and-scan"));
    names.put(Setting.IMAGE_MIN_TOKENS, List.of("--image-min-tokens"));
    names.put(Setting.IMAGE_MAX_TOKENS, List.of("--image-max-tokens"));
    names.put(Setting.MODEL_TYPE, List.of("--model-type"));
    names.put(Setting.DIMENSION, List.of("--dimension"));
    names.put(Setting.MAX_TOKENS, List.of("-n"));
    names.put(Setting.BEAMS, List.of("--beams"));
    names.put(Setting.LOG_PROBS, List.of("--logprobs"));
    names.put(Setting.IGNORE_EOS, List.of("--ignore-eos"));
    names.put(Setting.TOOL_CHOICE, List.of("--tool-choice"));
    names.put(Setting.TOOLS, List.of("--tools"));
    names.put(Setting.CHUNK_SIZE, List.of("-c"));
    names.put(Setting.IMPORTANCE_MATRIX, List.of("--imatrix"));
    names.put(Setting.TENSOR_TYPE, List.of("--tensor-type"));
    names.put(Setting.ALLOW_REQUANTIZE, List.of("--allow-requantize"));
    names.put(Setting.PRE_TOKENIZER, List.of("--pre"));
    names.put(Setting.BASE_MODEL, List.of("--base"));
    names.put(Setting.OUTPUT_TYPE, List.of("--outtype"));
    names.put(Setting.INDEX_PLACE, List.of("--index"));
    names.put(Setting.REBUILD_INDEX, List.of("--rebuild"));
    names.put(Setting.DPI, List.of("--dpi"));
    names.put(Setting.PAGES, List.of("--pages"));
    names.put(Setting.OCR_PROMPT, List.of("-p"));
    names.put(Setting.PASSWORD, List.of("--pdf-password"));
    names.put(Setting.MAX_MEMORY, List.of("--max-memory"));
    names.put(Setting.TLS_CERTIFICATES, List.of("--tls-cert"));
    names.put(Setting.TLS_KEY, List.of("--tls-key"));
    return names;
  }

  /**
   * What to add to a message: the options of its settings that a command has; empty if there are
   * none.
   */
  public static String hint(Throwable e, CommandSpec command) {
    if (!(e instanceof SettingsRelated related)) {
      return "";
    }
    List<String> options = new ArrayList<>();
    for (Setting setting : related.settings()) {
      NAMES.getOrDefault(setting, List.of()).stream()
          .filter(command.optionsMap()::containsKey)
          .filter(name -> !options.contains(name))
          .forEach(options::add);
    }
    return switch (options.size()) {
      case 0 -> "";
      case 1 -> " (option " + options.getFirst() + ")";
      default -> " (options " + String.join(", ", options) + ")";
    };
  }

  /** Whether a setting has an option; a test sees to it that all have. */
  static boolean has(Setting setting) {
    return NAMES.containsKey(setting);
  }
}
