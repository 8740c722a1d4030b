package dev.ocellus.convert.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads from the templates of a post-processor ("BOS text EOS", "BOS text SEP text") which tokens a
 * tokenizer adds. Corrects the tokens of {@code tokenizer_config.json} where the templates know
 * better.
 */
final class PostProcessorTokens {
  final Map<String, Boolean> adds = new LinkedHashMap<>();
  final List<String> newRoles = new ArrayList<>();

  private final @Nullable ObjectNode config;
  private @Nullable JsonNode bos;
  private @Nullable JsonNode eos;
  private @Nullable JsonNode cls;
  private @Nullable JsonNode sep;

  PostProcessorTokens(@Nullable ObjectNode config) {
    this.config = config;
    if (config == null) {
      return;
    }
    bos = given(config.get("bos_token"));
    eos = given(config.get("eos_token"));
    cls = given(config.get("cls_token"));
    sep = given(config.get("sep_token"));
    if (bos == null && cls != null) {
      config.set("bos_token", cls);
      bos = cls;
    }
    if (eos == null && sep != null) {
      config.set("eos_token", sep);
      eos = sep;
    }
  }

  /** A token's text, which may stand in an object. */
  private static @Nullable JsonNode given(@Nullable JsonNode node) {
    JsonNode text = node != null && node.isObject() ? node.get("content") : node;
    return text != null && text.isTextual() && !text.asText().isEmpty() ? text : null;
  }

  void process(JsonNode processor) {
    switch (processor.path("type").asText()) {
      case "RobertaProcessing" -> roberta(processor);
      case "TemplateProcessing" -> template(processor);
      default -> {} // ByteLevel and the like add nothing
    }
  }

  private void roberta(JsonNode processor) {
    adds.put("bos", true);
    adds.put("eos", true);
    adds.put("sep", true);
    if (config != null && cls == null && processor.path("cls").path(0).isTextual()) {
      cls = processor.get("cls").get(0);
      config.set("cls_token", cls);
    }
    if (config != null && sep == null && processor.path("sep").path(0).isTextual()) {
      sep = processor.get("sep").get(0);
      config.set("sep_token", sep);
    }
  }

  private void template(JsonNode processor) {
    JsonNode single = processor.path("single");
    JsonNode first = null;
    JsonNode last = null;
    if (single.size() > 1) {
      first = special(single.path(0));
      if (first != null) {
        leading(first);
      }
      last = special(single.path(single.size() - 1)); // nothing if it is an object
      if (last != null) {
        trailing(last);
      }
    }
    between(processor.path("pair"), first, last);
  }

  private void leading(JsonNode first) {
    if (config == null) {
      bos = first;
    } else if (!first.equals(bos) && !first.equals(cls)) {
      if (bos == null) {
        config.set("bos_token", first);
        bos = first;
      }
      if (cls == null) {
        config.set("cls_token", first);
        cls = first;
      }
    }
    adds.put("bos", first.equals(bos) || first.equals(cls));
  }

  private void trailing(JsonNode last) {
    if (config == null) {
      eos = last;
    } else if (!last.equals(eos)) {
      // what ended a turn so far stays known under another role
      String role = !newRoles.contains("eot") ? "eot" : newRoles.contains("eom") ? "" : "eom";
      if (!role.isEmpty()) {
        newRoles.add(role);
        if (eos != null) {
          config.set(role + "_token", eos);
        }
      }
      config.set("eos_token", last);
      eos = last;
    }
    adds.put("eos", last.equals(eos));
  }

  private void between(JsonNode pair, @Nullable JsonNode first, @Nullable JsonNode last) {
    List<JsonNode> parts = new ArrayList<>();
    pair.forEach(parts::add);
    if (parts.isEmpty()) {
      return;
    }
    if (first != null && first.equals(special(parts.getFirst()))) {
      parts.removeFirst();
    }
    if (!parts.isEmpty() && last != null && last.equals(special(parts.getLast()))) {
      parts.removeLast();
    }
    if (parts.size() < 3 || !isText(parts.getFirst(), "A") || !isText(parts.getLast(), "B")) {
      return;
    }
    parts.removeFirst();
    parts.removeLast();
    boolean add = false;
    JsonNode one = special(parts.getFirst());
    if (one != null && isSeparator(one) && last == null) {
      add = true;
    }
    if (parts.size() == 2) {
      JsonNode two = special(parts.getLast());
      add |= two != null && isSeparator(two);
    }
    adds.put("sep", add);
    if (add && sep == null && config != null && eos != null) {
      config.set("sep_token", eos);
    }
  }

  private boolean isSeparator(JsonNode token) {
    return token.equals(sep) || token.equals(eos);
  }

  private static boolean isText(JsonNode part, String id) {
    return part.path("Sequence").path("id").asText().equals(id);
  }

  private static @Nullable JsonNode special(JsonNode part) {
    JsonNode id = part.path("SpecialToken").path("id");
    return id.isTextual() ? id : null;
  }
}
