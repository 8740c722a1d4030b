package dev.ocellus.vlm.embedding;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.llama.ContextOverflowException;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RgbImage;
import java.util.List;
import java.util.concurrent.CancellationException;

/** Images of a vision-language model, which computes one input at a time. */
final class SingleImageStage implements ImageStage<RgbImage> {
  /** Images wait as large as they are, and the model takes longer for one than decoding does. */
  private static final int LOOK_AHEAD = 4;

  private final VisionLanguageEmbedder embedder;
  private final CancellationFlag flag = new CancellationFlag();

  SingleImageStage(VisionLanguageEmbedder embedder) {
    this.embedder = embedder;
  }

  @Override
  public StreamOptions reading(StreamOptions wanted) {
    return new StreamOptions(
        Math.min(wanted.lookAhead(), LOOK_AHEAD), Math.min(wanted.decoders(), LOOK_AHEAD));
  }

  @Override
  public RgbImage prepare(RgbImage image) {
    return image;
  }

  @Override
  public int maxBatch() {
    return 1;
  }

  @Override
  public List<Encoded> encode(List<RgbImage> images) {
    return images.stream().map(this::encode).toList();
  }

  private Encoded encode(RgbImage image) {
    try {
      return new Encoded(embedder.embed(EmbeddingInput.of(image), flag), null);
    } catch (ImageFormatException | ContextOverflowException e) {
      return new Encoded(null, e);
    } catch (ComputationCancelledException e) {
      var cancelled = new CancellationException("the stream of images was closed");
      cancelled.initCause(e);
      throw cancelled;
    }
  }

  @Override
  public void stop() {
    flag.cancel();
  }
}
