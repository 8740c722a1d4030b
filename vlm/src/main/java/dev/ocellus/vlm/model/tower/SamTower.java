package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.ConvGeometry;
import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.nn.BlockConvolution;
import dev.ocellus.vlm.nn.Conv2d;
import dev.ocellus.vlm.nn.LayerNorm;
import dev.ocellus.vlm.nn.Linear;
import dev.ocellus.vlm.nn.Mlp;
import dev.ocellus.vlm.nn.PatchEmbedding;
import dev.ocellus.vlm.vision.EncoderGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The image encoder of Segment Anything (arXiv:2304.02643) as DeepSeek-OCR has it: attention in
 * windows with relative positions, among all patches in some blocks, a neck of convolutions, and
 * two more that halve the sides. Weights under {@code v.sam.}.
 *
 * <p>The reference is {@code DeepseekOcr2SamVisionEncoder} of transformers: <a
 * href="https://github.com/huggingface/transformers/blob/v5.18.0/src/transformers/models/deepseek_ocr2/modeling_deepseek_ocr2.py">modeling_deepseek_ocr2.py</a>.
 */
public final class SamTower {
  /** Of the norms in the neck, fixed in the reference. */
  private static final float NECK_EPS = 1e-6f;

  /**
   * Sizes of the tower.
   *
   * @param patchSize pixels of a patch's side
   * @param nEmbd width
   * @param nHead attention heads, a divisor of {@code nEmbd}
   * @param nLayer blocks
   * @param window patches of a window's side
   * @param whole numbers of the blocks that attend to all patches
   * @param eps of the norms in blocks
   */
  public record Config(
      int patchSize, int nEmbd, int nHead, int nLayer, int window, Set<Integer> whole, float eps) {}

  private record Block(LayerNorm ln1, RelativeAttention attention, LayerNorm ln2, Mlp mlp) {
    static Block of(Config c, Weights w) {
      int nFf = w.at("mlp").at("lin1").outputs("weight");
      return new Block(
          LayerNorm.of(w.at("pre_ln"), c.nEmbd, c.eps),
          RelativeAttention.of(w.at("attn"), c.nEmbd, c.nHead),
          LayerNorm.of(w.at("post_ln"), c.nEmbd, c.eps),
          new Mlp(
              Linear.of(w.at("mlp").at("lin1"), c.nEmbd, nFf),
              Activation.GELU,
              Linear.of(w.at("mlp").at("lin2"), nFf, c.nEmbd)));
    }
  }

  private final Config config;
  private final PatchEmbedding patches;
  private final AntialiasedTable positions;
  private final List<Block> blocks = new ArrayList<>();
  private final BlockConvolution narrow;
  private final LayerNorm narrowNorm;
  private final Conv2d mix;
  private final LayerNorm mixNorm;
  private final Conv2d firstHalving;
  private final Conv2d secondHalving;
  private final int width;

  /**
   * @param w those under {@code v.sam.}
   */
  public SamTower(Config c, Weights w) {
    config = c;
    patches = PatchEmbedding.of(w.at("patch_embd"), c.patchSize, c.nEmbd);
    positions = AntialiasedTable.of(w.at("pos_embd"), c.nEmbd);
    for (int i = 0; i < c.nLayer; i++) {
      blocks.add(Block.of(c, w.at("blk").at(i)));
    }
    Weights neck = w.at("neck");
    long channels = BlockConvolution.outputs(neck.at(0));
    narrow = BlockConvolution.of(neck.at(0), 1, c.nEmbd, channels);
    narrowNorm = LayerNorm.of(neck.at(1), channels, NECK_EPS);
    mix = Conv2d.of(neck.at(2), 3, channels, channels, ConvGeometry.of(1, 1));
    mixNorm = LayerNorm.of(neck.at(3), channels, NECK_EPS);
    long inner = BlockConvolution.outputs(w.at("net_2"));
    width = Math.toIntExact(Math.min(Integer.MAX_VALUE, BlockConvolution.outputs(w.at("net_3"))));
    firstHalving = Conv2d.of(w.at("net_2"), 3, channels, inner, ConvGeometry.of(2, 1));
    secondHalving = Conv2d.of(w.at("net_3"), 3, inner, width, ConvGeometry.of(2, 1));
  }

  /** Channels that come out. */
  public int width() {
    return width;
  }

  /** From square pixels [side, side, 3, n] to [width, rows, n], line by line. */
  public Tensor forward(EncoderGraph graph) {
    int grid = graph.gridX();
    Tensor x = patches.forward(graph.pixels());
    x = x.add(positions.forward(graph, x, grid)).named("sam.embeddings");
    SharedTables tables = new SharedTables(graph);
    SquareWindows windows = new SquareWindows(grid, config.window);
    for (int i = 0; i < blocks.size(); i++) {
      Block block = blocks.get(i);
      Tensor normed = block.ln1.forward(x);
      Tensor mixed =
          config.whole.contains(i)
              ? block.attention.forward(tables, normed, grid)
              : windows.joined(
                  tables,
                  block.attention.forward(tables, windows.cut(tables, normed), config.window),
                  x.size(2));
      x = x.add(mixed);
      x = x.add(block.mlp.forward(block.ln2.forward(x))).named("sam.layer_" + (i + 1));
    }
    x = narrowNorm.forward(narrow.forward(x));
    x = mixNorm.forward(rows(mix.forward(maps(x, grid))));
    Tensor halved = secondHalving.forward(firstHalving.forward(maps(x, grid)));
    return rows(halved).named("sam.last_hidden");
  }

  /** [channels, rows, n] to [columns, lines, channels, n]. */
  private static Tensor maps(Tensor x, int grid) {
    return x.permute(1, 0, 2, 3).contiguous().reshape(grid, grid, x.size(0), x.size(2));
  }

  /** The back of it. */
  private static Tensor rows(Tensor x) {
    return x.reshape(x.size(0) * x.size(1), x.size(2), x.size(3)).permute(1, 0, 2, 3).contiguous();
  }
}
