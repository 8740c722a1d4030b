package dev.ocellus.spark;

import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.vision.Tiles;
import java.io.IOException;

/** A dual encoder, which encodes the images of all tasks in common batches. */
final class VectorModel extends LoadedModel {
  private static final int MAX_BATCH = 64;

  private final DualEncoder encoder;
  private final SharedBatches<Tiles, float[]> batches;

  private VectorModel(String hash, Compute compute, DualEncoder encoder) {
    super(hash, compute);
    this.encoder = encoder;
    this.batches = new SharedBatches<>(MAX_BATCH, encoder::embedPrepared);
  }

  static VectorModel open(ModelSource source, LocatedModel files, Compute compute)
      throws IOException {
    boolean isDemo = source.kind() == ModelSource.Kind.DEMO_DUAL_ENCODER;
    EmbeddingOptions cpu = EmbeddingOptions.cpu(isDemo ? 1 : compute.threads());
    EmbeddingOptions options =
        compute.gpu() == Compute.NO_GPU
            ? cpu
            : new EmbeddingOptions(cpu.nThreads(), true, cpu.precision(), cpu.accelerator());
    DualEncoder encoder = DualEncoder.open(files.model(), options);
    return new VectorModel(files.hash(), compute, encoder);
  }

  DualEncoder encoder() {
    return encoder;
  }

  /** The vector of an image, of length 1. */
  float[] embed(Tiles tiles) throws InterruptedException {
    return batches.compute(tiles);
  }

  @Override
  RowWorker newWorker(Request request) {
    if (request instanceof EmbedRequest embed) {
      if (!embed.instruction().isEmpty()) {
        throw new ModelException(
            "a dual encoder takes no instruction; only vision-language models do", null);
      }
      return new EmbedWorker(this);
    }
    if (request instanceof ClassifyRequest classify) {
      return new ClassifyWorker(this, encoder.classifier(classify.labels(), classify.templates()));
    }
    throw new IllegalStateException("no request of a dual encoder: " + request);
  }

  @Override
  void closeModel() {
    encoder.close();
  }
}
