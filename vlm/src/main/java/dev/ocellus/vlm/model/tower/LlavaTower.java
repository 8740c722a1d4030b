package dev.ocellus.vlm.model.tower;

import dev.ocellus.ggml.Tensor;
import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The tower of LLaVA and LLaVA-NeXT: CLIP's, or SigLIP's in files without a CLS token, of which
 * some hidden states are read, by default those of the last layer. Layers behind them are neither
 * loaded nor computed. Weights under {@code v.}.
 */
public final class LlavaTower {
  private interface Tower {
    HiddenStates forward(Tensor pixels);
  }

  private final TowerConfig config;
  private final List<Integer> layers;
  private final Tower tower;
  private final int nCls;

  private LlavaTower(TowerConfig config, List<Integer> layers, Tower tower, int nCls) {
    this.config = config;
    this.layers = layers;
    this.tower = tower;
    this.nCls = nCls;
  }

  /**
   * The tower that a file has.
   *
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if no model can have such sizes
   */
  public static LlavaTower of(GgufMetadata metadata, Weights v) {
    boolean clip = ClipTower.isIn(v);
    // clip.use_gelu of SigLIP's files is what their script happens to write
    TowerConfig declared = clip ? ClipTower.config(metadata) : SiglipTower.config(metadata);
    List<Integer> layers = layers(metadata, declared.nLayer());
    TowerConfig config = declared.withLayers(Collections.max(layers));
    return clip
        ? new LlavaTower(config, layers, new ClipTower(config, v)::forward, 1)
        : new LlavaTower(config, layers, new SiglipTower(config, v)::forward, 0);
  }

  /** The hidden states that are read; older converters drop the unused layers instead. */
  private static List<Integer> layers(GgufMetadata metadata, int nBlock) {
    String key = "feature_layer";
    long[] layers = metadata.findIntegers("clip.vision." + key).orElse(new long[] {nBlock});
    if (layers.length == 0 || Arrays.stream(layers).anyMatch(i -> i < 0 || i > nBlock)) {
      throw ConfigReader.ofVision(metadata)
          .invalid(key, "numbers from 0 to " + nBlock, Arrays.toString(layers));
    }
    return Arrays.stream(layers).mapToObj(i -> (int) i).toList();
  }

  /** Sizes, with the layers that are computed. */
  public TowerConfig config() {
    return config;
  }

  /** CLS tokens, which stand in front of the patches: 1, or 0 for SigLIP. */
  public int nCls() {
    return nCls;
  }

  /** Width of what the tower gives out. */
  public int nOut() {
    return config.nEmbd() * layers.size();
  }

  /**
   * From pixels [imageSize, imageSize, 3, n] to [nOut, nCls + nPatches, n], the CLS token first.
   */
  public Tensor forward(Tensor pixels) {
    return tower.forward(pixels).joined(layers).named("vision.selected");
  }

  /** As {@link #forward}, without the CLS token: [nOut, nPatches, n]. */
  public Tensor patches(Tensor pixels) {
    Tensor x = forward(pixels);
    return x.slice(new long[] {0, nCls}, x.size(0), config.nPatches(), x.size(2)).contiguous();
  }
}
