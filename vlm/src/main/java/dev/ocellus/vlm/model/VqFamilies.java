package dev.ocellus.vlm.model;

import dev.ocellus.ggml.Weights;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.vlm.codes.CodePrior;
import dev.ocellus.vlm.codes.PixelRange;
import dev.ocellus.vlm.codes.PixelRange.Fit;
import dev.ocellus.vlm.codes.VqArchitecture;
import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.image.Normalize;
import dev.ocellus.vlm.image.ResizeFilter;
import dev.ocellus.vlm.model.vq.ClassTransformer;
import dev.ocellus.vlm.model.vq.JanusHead;
import dev.ocellus.vlm.model.vq.PixelTransformer;
import dev.ocellus.vlm.model.vq.VqVae;
import dev.ocellus.vlm.model.vq.Vqgan;
import dev.ocellus.vlm.vision.ConfigReader;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The families of VQ models, by {@code vq.model_type}. */
final class VqFamilies {
  private static final int MAX_SIDE = 1 << 14;
  private static final int MAX_CODES = 1 << 24;
  private static final int MAX_WIDTH = 1 << 14;

  static final Families<VqArchitecture> ALL =
      new Families<>(
          ModelKind.VQ,
          "model type",
          metadata -> metadata.string("vq.model_type", ""),
          Map.of(
              "taming", VqFamilies::vqgan,
              "chameleon", VqFamilies::vqgan,
              "janus", VqFamilies::vqgan,
              "llamagen", VqFamilies::vqgan,
              "vqvae", VqFamilies::vqvae));

  private VqFamilies() {}

  private static VqArchitecture vqgan(GgufMetadata metadata, Weights weights) {
    ConfigReader c = reader(metadata);
    int count = c.integer("codebook_size", 1, MAX_CODES);
    return new VqArchitecture(
        metadata.string("vq.model_type"),
        images(metadata, c),
        Vqgan.of(
            weights,
            c.integer("embedding_length", 1, MAX_WIDTH),
            count,
            metadata.bool("vq.unit_length_search", false),
            metadata.bool("vq.unit_length_lookup", false)),
        classPrior(metadata, weights, count),
        weights.has("gen.embd.weight")
            ? Optional.of(JanusHead.of(metadata, weights.at("gen")))
            : Optional.empty());
  }

  private static VqArchitecture vqvae(GgufMetadata metadata, Weights weights) {
    ConfigReader c = reader(metadata);
    return new VqArchitecture(
        "vqvae",
        images(metadata, c),
        VqVae.of(
            weights,
            c.integer("embedding_length", 1, MAX_WIDTH),
            c.integer("codebook_size", 1, MAX_CODES)),
        prior(metadata, weights),
        Optional.empty());
  }

  private static Optional<CodePrior> classPrior(
      GgufMetadata metadata, Weights weights, int nCodes) {
    if (!weights.has("prior.token_embd.weight")) {
      return Optional.empty();
    }
    List<String> classes = metadata.strings("vq.prior.classes");
    ConfigReader c = new ConfigReader(metadata, "vq.prior.");
    return Optional.of(
        new CodePrior(
            new ClassTransformer(c, weights.at("prior"), nCodes, classes.size()), classes));
  }

  private static Optional<CodePrior> prior(GgufMetadata metadata, Weights weights) {
    if (!weights.has("prior.token_embd.weight")) {
      return Optional.empty();
    }
    List<String> classes = metadata.strings("vq.prior.classes", List.of(""));
    var graph =
        new PixelTransformer(
            new ConfigReader(metadata, "vq.prior."), weights.at("prior"), classes.size());
    return Optional.of(new CodePrior(graph, classes));
  }

  private static ConfigReader reader(GgufMetadata metadata) {
    return new ConfigReader(metadata, "vq.");
  }

  private static PixelRange images(GgufMetadata metadata, ConfigReader c) {
    int side = c.integer("image_size", 1, MAX_SIDE);
    String name = metadata.string("vq.image_fit", "stretch");
    Fit fit =
        switch (name) {
          case "stretch" -> Fit.STRETCH;
          case "crop" -> Fit.CROP;
          case "pad" -> Fit.PAD;
          default -> throw c.invalid("image_fit", "stretch, crop or pad", "'" + name + "'");
        };
    return new PixelRange(
        new ImageSize(side, side),
        fit,
        c.integer("image_min_size", 1, MAX_SIDE, 1),
        c.filter(ResizeFilter.BICUBIC),
        c.normalize(Normalize.HALF));
  }
}
