package dev.ocellus.vlm.model.tower;

import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.nn.Activation;
import dev.ocellus.vlm.vision.ConfigReader;

/**
 * Sizes of a vision transformer, as they stand under {@code clip.vision.}.
 *
 * @param imageSize pixels of a side
 * @param patchSize pixels of a patch's side
 * @param nEmbd width
 * @param nFf width between the linear layers of a feed-forward block
 * @param nHead attention heads, a divisor of {@code nEmbd}
 * @param nLayer layers
 * @param eps of the norms
 * @param activation of the feed-forward blocks
 */
public record TowerConfig(
    int imageSize,
    int patchSize,
    int nEmbd,
    int nFf,
    int nHead,
    int nLayer,
    float eps,
    Activation activation) {
  /**
   * Reads and checks the sizes.
   *
   * @param eps where the file has none
   * @param activation where the file has no {@code hidden_act}
   * @throws dev.ocellus.vlm.vision.InvalidConfigException if no model can have such sizes
   * @throws dev.ocellus.gguf.GgufFormatException if one is missing
   */
  public static TowerConfig of(GgufMetadata metadata, float eps, Activation activation) {
    ConfigReader c = ConfigReader.ofVision(metadata);
    int nEmbd = width(c);
    int nHead = heads(c, nEmbd, 1);
    int imageSize = c.integer("image_size", 1, 1 << 12);
    return new TowerConfig(
        imageSize,
        c.integer("patch_size", 1, imageSize),
        nEmbd,
        c.integer("feed_forward_length", 1, 1 << 18),
        nHead,
        layers(c),
        c.positive("attention.layer_norm_epsilon", eps),
        c.activation(activation));
  }

  /** The width of a tower. */
  public static int width(ConfigReader c) {
    return c.integer("embedding_length", 1, 1 << 16);
  }

  /** The number of layers. */
  public static int layers(ConfigReader c) {
    return c.integer("block_count", 1, 1024);
  }

  /**
   * The number of attention heads.
   *
   * @param multiple what the width of a head must be a multiple of: 4 for rotary positions on two
   *     axes, else 1
   */
  public static int heads(ConfigReader c, int nEmbd, int multiple) {
    String key = "attention.head_count";
    int nHead = c.integer(key, 1, nEmbd);
    if (nEmbd % nHead != 0 || nEmbd / nHead % multiple != 0) {
      String rest = multiple == 1 ? "" : " that leaves heads of a multiple of " + multiple;
      throw c.invalid(key, "a divisor of " + nEmbd + rest, Integer.toString(nHead));
    }
    return nHead;
  }

  /** The activation that the flags of the first converters ask for, else {@code defaultValue}. */
  public static Activation declaredActivation(GgufMetadata metadata, Activation defaultValue) {
    if (metadata.bool("clip.use_gelu", false)) {
      return Activation.GELU;
    }
    return metadata.bool("clip.use_silu", false) ? Activation.SILU : defaultValue;
  }

  /** What its layers are built from. */
  public LayerConfig layers() {
    return new LayerConfig(nEmbd, nFf, nHead, nLayer, eps, activation);
  }

  /** Patches along a side; what does not fill a patch is left out. */
  public int grid() {
    return imageSize / patchSize;
  }

  public int nPatches() {
    return grid() * grid();
  }

  /** Width of an attention head. */
  public int headSize() {
    return nEmbd / nHead;
  }

  /** The same tower with a table of positions for another size. */
  public TowerConfig withImageSize(int pixels) {
    return new TowerConfig(pixels, patchSize, nEmbd, nFf, nHead, nLayer, eps, activation);
  }

  /** The same tower with only its first layers. */
  public TowerConfig withLayers(int n) {
    return new TowerConfig(imageSize, patchSize, nEmbd, nFf, nHead, n, eps, activation);
  }
}
