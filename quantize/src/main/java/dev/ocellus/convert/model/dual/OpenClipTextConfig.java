package dev.ocellus.convert.model.dual;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.hf.JsonFiles;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import java.io.IOException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The configuration of a text encoder of transformers in a folder of open_clip, which only names
 * it: a {@code config.json} in that folder or in the one that is named; else, of a published model,
 * what the tensors tell and what all of its kind have.
 */
final class OpenClipTextConfig {
  private static final String WORDS = "text.transformer.embeddings.word_embeddings.weight";
  private static final String POSITIONS = "text.transformer.embeddings.position_embeddings.weight";
  private static final String UP = "text.transformer.encoder.layer.%d.intermediate.dense.weight";

  /** Their heads are 64 wide, and they have the exact GELU. */
  private static final Pattern PUBLISHED =
      Pattern.compile("(?:.*/)?(bert|roberta|xlm-roberta)-(?:base|large)(?:-.*)?");

  private static final int HEAD_WIDTH = 64;

  private OpenClipTextConfig() {}

  /**
   * The configuration.
   *
   * @throws dev.ocellus.UnsupportedArchitectureException if it is of another kind than BERT's
   */
  static HfConfig of(Context context, OpenClipConfig openClip) throws IOException {
    HfFolder folder = context.folder();
    for (Path place : places(folder.directory(), openClip.textModel())) {
      ObjectNode node = JsonFiles.findObject(place).orElse(null);
      if (node != null && BertVariant.KNOWN.contains(node.path("model_type").asText())) {
        return HfConfig.of(place, node);
      }
    }
    Matcher published = PUBLISHED.matcher(openClip.textModel());
    if (!published.matches()) {
      throw openClip.unsupported(
          "text_cfg.hf_model_name",
          "the text encoder '%s' of transformers; known are those of the kinds %s: as published (-base, -large), or with their config.json in this folder"
              .formatted(openClip.textModel(), String.join(", ", BertVariant.KNOWN)));
    }
    return openClip.text().reworded(words(context, openClip, published.group(1)));
  }

  private static List<Path> places(Path folder, String name) {
    Path own = folder.resolve("config.json");
    try {
      return List.of(own, folder.resolve(name).resolve("config.json"));
    } catch (InvalidPathException e) { // a name of the hub alone
      return List.of(own);
    }
  }

  private static ObjectNode words(Context context, OpenClipConfig openClip, String kind) {
    Map<String, LazyTensor> all = context.folder().tensors();
    LazyTensor tokens = require(all, WORDS, openClip);
    LazyTensor up = require(all, UP.formatted(0), openClip);
    int layers = 0;
    while (all.containsKey(UP.formatted(layers))) {
      layers++;
    }
    long width = tokens.size(1);
    if (width % HEAD_WIDTH != 0) {
      throw openClip.unsupported(
          "text_cfg.hf_model_name",
          "a text encoder that is %d wide, as no published one is; put its config.json into this folder"
              .formatted(width));
    }
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("model_type", kind);
    node.put("vocab_size", tokens.size(0));
    node.put("hidden_size", width);
    node.put("intermediate_size", up.size(0));
    node.put("num_hidden_layers", layers);
    node.put("num_attention_heads", width / HEAD_WIDTH);
    node.put("max_position_embeddings", require(all, POSITIONS, openClip).size(0));
    node.put("layer_norm_eps", kind.equals("bert") ? 1e-12 : 1e-5);
    node.put("hidden_act", "gelu");
    return node;
  }

  private static LazyTensor require(
      Map<String, LazyTensor> all, String name, OpenClipConfig openClip) {
    LazyTensor tensor = all.get(name);
    if (tensor == null || tensor.rank() != 2) {
      throw openClip
          .text()
          .invalid("hf_model_name", "a checkpoint with a matrix '" + name + "'", "" + tensor);
    }
    return tensor;
  }
}
