package dev.ocellus.convert.model.dual;

import dev.ocellus.UnsupportedArchitectureException;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * CLIP as open_clip holds it: projections are matrices that vectors are multiplied with from the
 * left, queries, keys and values stand in one, and the text encoder at the root or under {@code
 * text.}. CoCa, too, without the decoder that writes captions.
 */
public class OpenClipModel extends DualModel {
  private static final NameTable NAMES =
      NameTable.of(
          "visual.conv1 v.patch_embd",
          "visual.class_embedding v.class_embd",
          "visual.positional_embedding v.position_embd.weight",
          "visual.ln_pre v.pre_ln",
          "visual.ln_post v.post_ln",
          "visual.transformer.resblocks.#.ln_1 v.blk.#.ln1",
          "visual.transformer.resblocks.#.ln_2 v.blk.#.ln2",
          "visual.transformer.resblocks.#.attn.out_proj v.blk.#.attn_out",
          "visual.transformer.resblocks.#.mlp.c_fc v.blk.#.ffn_up",
          "visual.transformer.resblocks.#.mlp.c_proj v.blk.#.ffn_down",
          "visual.transformer.resblocks.#.ls_1.gamma v.blk.#.ls1.weight",
          "visual.transformer.resblocks.#.ls_2.gamma v.blk.#.ls2.weight",
          "visual.transformer.resblocks.#.attn v.blk.#",
          "visual.attn_pool.query v.pool.query",
          "visual.attn_pool.ln_q v.pool.ln_q",
          "visual.attn_pool.ln_k v.pool.ln_k",
          "visual.attn_pool.attn v.pool",
          "visual.attn_pool.attn.q_proj_weight v.pool.attn_q.weight",
          "visual.attn_pool.attn.k_proj_weight v.pool.attn_k.weight",
          "visual.attn_pool.attn.v_proj_weight v.pool.attn_v.weight",
          "visual.attn_pool.attn.out_proj v.pool.attn_out",
          "text.token_embedding t.token_embd",
          "text.positional_embedding t.position_embd.weight",
          "text.ln_final t.post_ln",
          "text.transformer.resblocks.#.ln_1 t.blk.#.ln1",
          "text.transformer.resblocks.#.ln_2 t.blk.#.ln2",
          "text.transformer.resblocks.#.attn.out_proj t.blk.#.attn_out",
          "text.transformer.resblocks.#.mlp.c_fc t.blk.#.ffn_up",
          "text.transformer.resblocks.#.mlp.c_proj t.blk.#.ffn_down",
          "text.transformer.resblocks.#.ls_1.gamma t.blk.#.ls1.weight",
          "text.transformer.resblocks.#.ls_2.gamma t.blk.#.ls2.weight",
          "text.transformer.resblocks.#.attn t.blk.#");

  private static final String IN = ".attn.in_proj_";
  private static final String CLS = "text.cls_emb";
  private static final String CAPTIONS = "text_decoder.";

  final OpenClipConfig openClip;

  OpenClipModel(Context context, OpenClipConfig openClip, HfConfig vision) {
    this(context, openClip, vision, openClip.textWords());
  }

  OpenClipModel(Context context, OpenClipConfig openClip, HfConfig vision, HfConfig text) {
    super(context, vision, text, openClip.processorWords());
    this.openClip = openClip;
  }

  /** The converter of a folder in open_clip's layout. */
  public static ModelConverter of(Context context) throws IOException {
    OpenClipConfig config = OpenClipConfig.of(context.folder().config());
    if (!config.timmModel().isEmpty()) {
      return OpenClipSiglip.of(context, config);
    }
    if (!config.textModel().isEmpty()) {
      return OpenClipBert.of(context, config);
    }
    return config.isResNet()
        ? new OpenClipResNet(context, config)
        : new OpenClipModel(context, config, config.visionWords());
  }

  @Override
  protected String projector() {
    return "clip";
  }

  @Override
  final int dimension() {
    return openClip.dimension();
  }

  @Override
  public void parameters(GgufWriter out, OutputType type) {
    super.parameters(out, type);
    if (processor.findSection("size", "").filter(size -> size.says("longest_edge")).isPresent()) {
      out.string("clip.vision.image_aspect_ratio", "longest");
      out.u32("clip.vision.image_fill", processor.integerOr("fill_color", 0));
    }
  }

  @Override
  protected Optional<String> own(String name) {
    if (name.startsWith(CAPTIONS)) {
      return Optional.empty();
    }
    return super.own(name)
        .filter(n -> !n.equals(CLS)) // stands with the tokens
        .filter(n -> !n.endsWith("attn_mask") && !n.endsWith("num_batches_tracked"))
        .map(n -> n.startsWith("visual.") || n.startsWith("text.") ? n : "text." + n);
  }

  @Override
  protected void more(GgufWriter out) {
    if (openClip.vision().flag("no_ln_pre", false)) {
      out.bool("clip.vision.pre_norm", false);
    }
    String pool = openClip.vision().findString("pool_type").orElse("tok");
    boolean last = openClip.vision().flag("final_ln_after_pool", false);
    if (openClip.poolsByAttention()) {
      last = false; // the norm always stands between
      out.u32("clip.vision.pool.head_count", openClip.vision().integer("attn_pooler_heads"));
    }
    switch (pool) {
      case "tok" -> {}
      case "avg" -> out.string("clip.vision.pooling", last ? "mean_then_norm" : "mean");
      default ->
          throw new UnsupportedArchitectureException(
              "%s: vision_cfg.pool_type '%s' gives no vector; known are tok and avg"
                  .formatted(global.file(), pool));
    }
    textPooling(out);
  }

  /** Which row of a text speaks for it, and what its tokens attend to. */
  void textPooling(GgufWriter out) {
    String pool =
        openClip.hasClsToken() ? "cls" : openClip.text().findString("pool_type").orElse("argmax");
    switch (pool) {
      case "argmax", "first", "last" -> out.string("clip.text.pooling", pool);
      case "cls" -> {
        out.string("clip.text.pooling", pool);
        out.u32("clip.text.hidden_token_id", openClip.text().integerOr("pad_id", 0));
      }
      case "eos" -> {
        out.string("clip.text.pooling", pool);
        out.u32("clip.text.eos_token_id", openClip.text().integer("eos_id"));
      }
      default ->
          throw new UnsupportedArchitectureException(
              "%s: text_cfg.pool_type '%s' gives no vector; known are argmax, first, last and eos"
                  .formatted(global.file(), pool));
    }
    if (openClip.text().flag("no_causal_mask", false)) {
      out.bool("clip.text.causal", false);
    }
    if (openClip.text().findString("hf_tokenizer_name").isEmpty()) {
      out.u32("clip.text.padding_token_id", 0); // of open_clip's own tokenizer
    } else {
      out.string("clip.text.cleaning", openClip.cleaning());
    }
    if (openClip.text().findString("proj_type").orElse("linear").equals("none")) {
      out.bool("clip.text.has_projection", false);
    }
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    if (name.equals("visual.proj")) {
      return List.of(new TargetTensor("visual_projection.weight", tensor.transposed()));
    }
    if (name.equals("text.token_embedding.weight") && openClip.hasClsToken()) {
      return named(NAMES, name, tensor.followedBy(require(CLS).reshape(1, tensor.size(1))));
    }
    if (name.equals("text.text_projection")) {
      return List.of(new TargetTensor("text_projection.weight", tensor.transposed()));
    }
    if (name.startsWith("text.text_projection.")) {
      return List.of(new TargetTensor(name.substring("text.".length()), tensor));
    }
    int in = name.indexOf(IN);
    if (in >= 0) {
      String block = gguf(NAMES, name.substring(0, in) + ".attn", tensor);
      String ending = "." + name.substring(in + IN.length());
      return thirds(
          tensor,
          block + ".attn_q" + ending,
          block + ".attn_k" + ending,
          block + ".attn_v" + ending);
    }
    return named(NAMES, name, tensor);
  }

  private LazyTensor require(String name) {
    LazyTensor tensor = context.folder().tensors().get(name);
    if (tensor == null || tensor.count() != text.integer("hidden_size")) {
      throw new ConversionException(
          "%s: expected a tensor '%s' of %d numbers, found %s. Is a file of the checkpoint missing?"
              .formatted(context.folder().directory(), name, text.integer("hidden_size"), tensor));
    }
    return tensor;
  }

  @Override
  public void tokenizer(GgufWriter out) throws IOException {
    new TokenizerConverter(context.folder(), text.integer("vocab_size"), null).writeDual(out);
  }
}
