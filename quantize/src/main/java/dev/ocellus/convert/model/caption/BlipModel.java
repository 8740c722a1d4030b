package dev.ocellus.convert.model.caption;

import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.LlavaFit;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * BLIP (arXiv:2201.12086) in one of its trades, as three classes of transformers hold it: an image
 * tower, and a BERT that encodes texts, one that writes them, or both, in one file. No published
 * converter fixes the names; docs/gguf.md lists them.
 */
public final class BlipModel extends VisionModel {
  private static final NameTable NAMES =
      TOWER
          .with(
              "encoder.layers.#.self_attn.projection v.blk.#.attn_out",
              "itm_head itm_head",
              "vision_proj visual_projection",
              "text_proj text_projection",
              "d.cls.predictions.transform.dense d.head",
              "d.cls.predictions.transform.LayerNorm d.head_ln",
              "d.cls.predictions.decoder d.output")
          .with(bert("t"))
          .with(bert("d"));

  private static final String QKV = ".self_attn.qkv.";
  private static final String PREDICTIONS = "text_decoder.cls.predictions.";
  private static final String WORDS = "text_decoder.bert.embeddings.word_embeddings.weight";

  /** The three trades, by their classes in transformers. */
  public enum Trade {
    CAPTION("blip-caption", false, true),
    QUESTIONS("blip-vqa", true, true),
    MATCH("blip-itm", true, false);

    private final String type;
    private final boolean encodes;
    private final boolean writes;

    Trade(String type, boolean encodes, boolean writes) {
      this.type = type;
      this.encodes = encodes;
      this.writes = writes;
    }
  }

  private final Trade trade;
  private final HfConfig text;

  public BlipModel(Context context, Trade trade) throws IOException {
    super(context, "blip_vision_model");
    this.trade = trade;
    text = global.section("text_config", "blip_text_model");
    if (!text.flag("is_decoder", true)) {
      throw text.invalid("is_decoder", "true, as texts attend to images", "false");
    }
  }

  /** Names of a BERT under a letter, which both files have in front of them. */
  private static String[] bert(String letter) {
    String[] names = {
      "embeddings.word_embeddings token_embd",
      "embeddings.position_embeddings position_embd",
      "embeddings.LayerNorm embd_ln",
      "encoder.layer.#.attention.self.query blk.#.attn_q",
      "encoder.layer.#.attention.self.key blk.#.attn_k",
      "encoder.layer.#.attention.self.value blk.#.attn_v",
      "encoder.layer.#.attention.output.dense blk.#.attn_out",
      "encoder.layer.#.attention.output.LayerNorm blk.#.attn_ln",
      "encoder.layer.#.crossattention.self.query blk.#.cross.attn_q",
      "encoder.layer.#.crossattention.self.key blk.#.cross.attn_k",
      "encoder.layer.#.crossattention.self.value blk.#.cross.attn_v",
      "encoder.layer.#.crossattention.output.dense blk.#.cross.attn_out",
      "encoder.layer.#.crossattention.output.LayerNorm blk.#.cross.attn_ln",
      "encoder.layer.#.intermediate.dense blk.#.ffn_up",
      "encoder.layer.#.output.dense blk.#.ffn_down",
      "encoder.layer.#.output.LayerNorm blk.#.ffn_ln"
    };
    return Arrays.stream(names)
        .map(pair -> letter + "." + pair.replace(" ", " " + letter + "."))
        .toArray(String[]::new);
  }

  @Override
  protected String projector() {
    return trade.type;
  }

  @Override
  public String generalType() {
    return "model";
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    out.u32("general.file_type", type.fileType());
    out.bool("clip.has_vision_encoder", true);
    out.bool("clip.has_text_encoder", trade.encodes);
    out.bool("clip.has_text_decoder", trade.writes);
    out.string("clip.model_type", trade.type);
    out.u32("clip.text.context_length", text.integer("max_position_embeddings"));
    out.u32("clip.text.embedding_length", text.integer("hidden_size"));
    out.u32("clip.text.feed_forward_length", text.integer("intermediate_size"));
    out.u32("clip.text.attention.head_count", text.integer("num_attention_heads"));
    out.f32("clip.text.attention.layer_norm_epsilon", (float) text.real("layer_norm_eps"));
    out.u32("clip.text.block_count", text.integer("num_hidden_layers"));
    String act = text.findString("hidden_act").orElse("gelu");
    requireKnown(text, act);
    out.string("clip.text.hidden_act", act);
    out.u32("clip.vision.image_size", imageSize());
    out.u32("clip.vision.patch_size", patchSize());
    out.u32("clip.vision.embedding_length", nEmbd());
    out.u32("clip.vision.feed_forward_length", nFf());
    out.u32("clip.vision.attention.head_count", nHead());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-5));
    out.u32("clip.vision.block_count", nBlock());
    colours(out);
    new LlavaFit(processor, imageSize()).write(out);
    unusual(out);
  }

  @Override
  protected Set<String> usualActivations() {
    return Set.of("gelu");
  }

  @Override
  protected void more(GgufWriter out) {}

  @Override
  protected Optional<String> own(String name) {
    if (name.endsWith("position_ids") || name.contains(".pooler.")) {
      return Optional.empty();
    }
    if (name.startsWith(PREDICTIONS)) {
      return predictions(name);
    }
    return after(name, "vision_model.")
        .or(() -> after(name, "text_encoder.").map(rest -> "t." + rest))
        .or(() -> after(name, "text_decoder.bert.").map(rest -> "d." + rest))
        .or(() -> Optional.of(name));
  }

  /** Where both are there, the reference takes the bias of the matrix, and the matrix itself. */
  private Optional<String> predictions(String name) {
    boolean hidden =
        name.equals(PREDICTIONS + "bias")
            && context.folder().tensors().containsKey(PREDICTIONS + "decoder.bias");
    return hidden ? Optional.empty() : after(name, "text_decoder.").map(rest -> "d." + rest);
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    int qkv = name.indexOf(QKV);
    if (qkv >= 0) {
      String block = "v.blk." + name.substring("encoder.layers.".length(), qkv) + ".attn_";
      String ending = "." + name.substring(qkv + QKV.length());
      return thirds(tensor, block + "q" + ending, block + "k" + ending, block + "v" + ending);
    }
    return switch (name) {
      case "embeddings.class_embedding" -> named(NAMES, name, tensor.reshape(tensor.count()));
      case "embeddings.position_embedding" -> {
        long width = tensor.size(tensor.rank() - 1);
        yield List.of(
            new TargetTensor(
                "v.position_embd.weight", tensor.reshape(tensor.count() / width, width)));
      }
      case "d.cls.predictions.bias", "d.cls.predictions.decoder.bias" ->
          List.of(new TargetTensor("d.output_bias", tensor));
      default -> named(NAMES, name, tensor);
    };
  }

  @Override
  public List<TargetTensor> tensors() {
    List<TargetTensor> all = new ArrayList<>(super.tensors());
    LazyTensor output = context.folder().tensors().get(PREDICTIONS + "decoder.weight");
    boolean hasWords = context.folder().tensors().containsKey(WORDS);
    if (trade.writes && output != null && !hasWords) { // stored once, under the other name
      all.removeIf(t -> t.name().equals("d.output.weight"));
      all.add(new TargetTensor("d.token_embd.weight", output));
    }
    require(all, trade.encodes, "t", "token_embd.weight");
    require(all, trade.writes, "d", "token_embd.weight");
    require(all, trade.writes, "d", "head.weight");
    require(all, trade == Trade.MATCH, "itm_head", "weight");
    return all;
  }

  /** Whether a part is there, and all layers of a BERT as the first of them that is. */
  private void require(List<TargetTensor> all, boolean wanted, String part, String name) {
    if (!wanted) {
      return;
    }
    Set<String> names = new TreeSet<>();
    Set<String> inBlocks = new TreeSet<>();
    String blocks = part + ".blk.";
    for (TargetTensor t : all) {
      names.add(t.name());
      if (t.name().startsWith(blocks)) {
        inBlocks.add(t.name().substring(t.name().indexOf('.', blocks.length()) + 1));
      }
    }
    Set<String> missing = new TreeSet<>(Set.of(part + "." + name));
    for (int i = 0; i < text.integer("num_hidden_layers"); i++) {
      for (String in : inBlocks) {
        missing.add(blocks + i + "." + in);
      }
    }
    missing.removeAll(names);
    if (!missing.isEmpty()) {
      throw context.missingTensors("", missing);
    }
  }

  /** The tokenizer, and the tokens that a decoder begins and ends with. */
  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    int nVocab = text.integer("vocab_size");
    new TokenizerConverter(context.folder(), nVocab, null).writeWordPiece(out);
    out.u32("tokenizer.ggml.bos_token_id", token("bos_token_id", nVocab));
    out.u32("tokenizer.ggml.eos_token_id", token("sep_token_id", nVocab));
  }

  private int token(String key, int nVocab) {
    int id = text.findInteger(key).orElseThrow(() -> text.missing(key, "the id of a token"));
    if (id >= nVocab) {
      throw text.invalid(key, "an id below %d".formatted(nVocab), "" + id);
    }
    return id;
  }
}
