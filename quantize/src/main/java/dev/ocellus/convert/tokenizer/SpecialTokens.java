package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Ids of tokens with a role, and which of them the tokenizer adds by itself: from {@code
 * tokenizer_config.json}, the post-processor of {@code tokenizer.json}, and {@code config.json}, in
 * that order. The same rules as llama.cpp's {@code SpecialVocab}.
 */
final class SpecialTokens {
  private static final Map<String, String> ID_KEYS =
      Map.ofEntries(
          Map.entry("bos", "tokenizer.ggml.bos_token_id"),
          Map.entry("eos", "tokenizer.ggml.eos_token_id"),
          Map.entry("eot", "tokenizer.ggml.eot_token_id"),
          Map.entry("eom", "tokenizer.ggml.eom_token_id"),
          Map.entry("unk", "tokenizer.ggml.unknown_token_id"),
          Map.entry("sep", "tokenizer.ggml.seperator_token_id"), // llama.cpp's spelling
          Map.entry("pad", "tokenizer.ggml.padding_token_id"),
          Map.entry("mask", "tokenizer.ggml.mask_token_id"),
          Map.entry("prefix", "tokenizer.ggml.prefix_token_id"),
          Map.entry("suffix", "tokenizer.ggml.suffix_token_id"),
          Map.entry("middle", "tokenizer.ggml.middle_token_id"),
          Map.entry("fsep", "tokenizer.ggml.fim_sep_token_id"));

  private static final Map<String, String> ADD_KEYS =
      Map.of(
          "bos", "tokenizer.ggml.add_bos_token",
          "eos", "tokenizer.ggml.add_eos_token",
          "sep", "tokenizer.ggml.add_sep_token");

  private final List<String> roles =
      new ArrayList<>(List.of("bos", "eos", "unk", "sep", "pad", "cls", "mask"));
  private final Map<String, Integer> ids = new LinkedHashMap<>();
  private final Map<String, Boolean> adds = new LinkedHashMap<>();
  private final int nVocab;

  private SpecialTokens(int nVocab) {
    this.nVocab = nVocab;
  }

  static SpecialTokens of(HfFolder folder, @Nullable TokenizerJson tokenizer, int nVocab)
      throws IOException {
    SpecialTokens out = new SpecialTokens(nVocab);
    ObjectNode config =
        Files.exists(folder.file("tokenizer_config.json"))
            ? folder.json("tokenizer_config.json").deepCopy()
            : null;
    if (tokenizer != null) {
      out.postProcessor(tokenizer, config);
    }
    if (config != null) {
      out.fromTokenizerConfig(config, tokenizer == null ? List.of() : tokenizer.added);
    }
    out.fromConfig(folder.json("config.json"));
    return out;
  }

  /** The id of a role, or -1. */
  int id(String role) {
    return ids.getOrDefault(role, -1);
  }

  /** Sets the id of a role that has none yet. */
  void setIfAbsent(String role, int id) {
    if (id >= 0 && id < nVocab) {
      ids.putIfAbsent(role, id);
    }
  }

  /** Sets the id of a role. */
  void set(String role, int id) {
    if (id >= 0 && id < nVocab) {
      ids.put(role, id);
    }
  }

  /** Leaves a role without a token. */
  void remove(String role) {
    ids.remove(role);
    adds.remove(role);
  }

  private void fromTokenizerConfig(ObjectNode config, List<TokenizerJson.Added> added) {
    for (String role : roles) {
      JsonNode add = config.get("add_" + role + "_token");
      if (add != null && add.isBoolean()) {
        adds.put(role, add.asBoolean());
      }
      String text = text(config.get(role + "_token"));
      if (text != null) {
        added.stream()
            .filter(t -> t.content().equals(text))
            .findFirst()
            .ifPresent(t -> setIfAbsent(role, t.id()));
      }
    }
  }

  private void fromConfig(ObjectNode config) {
    for (String role : roles) {
      JsonNode id = config.get(role + "_token_id");
      if ((id == null || id.isNull()) && config.get("text_config") instanceof ObjectNode text) {
        id = text.get(role + "_token_id");
      }
      if (id != null && id.isIntegralNumber() && id.canConvertToInt()) {
        setIfAbsent(role, id.intValue());
      }
    }
  }

  /** A token is given as its text, or as an object with it. */
  private static @Nullable String text(@Nullable JsonNode entry) {
    if (entry == null) {
      return null;
    }
    JsonNode content = entry.isObject() ? entry.get("content") : entry;
    return content != null && content.isTextual() ? content.asText() : null;
  }

  /** What the post-processor puts around a text tells which tokens are added. */
  private void postProcessor(TokenizerJson tokenizer, @Nullable ObjectNode config) {
    JsonNode processor = tokenizer.part("post_processor");
    PostProcessorTokens s = new PostProcessorTokens(config);
    if (processor.path("processors").isArray()) {
      processor.get("processors").forEach(s::process);
    } else if (processor.isObject()) {
      s.process(processor);
    }
    adds.putAll(s.adds);
    roles.addAll(s.newRoles);
  }

  void write(GgufWriter out) {
    ids.forEach((role, id) -> {
      String key = ID_KEYS.get(role);
      if (key != null) {
        out.u32(key, id);
      }
    });
    adds.forEach((role, add) -> {
      String key = ADD_KEYS.get(role);
      if (key != null) {
        out.bool(key, add);
      }
    });
  }
}
