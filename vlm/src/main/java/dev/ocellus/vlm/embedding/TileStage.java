package dev.ocellus.vlm.embedding;

import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.vision.Tiles;
import java.util.List;
import java.util.function.Function;

/** Images of a dual encoder: resized ahead, encoded together. */
record TileStage(DualEncoder encoder, Function<List<Tiles>, List<float[]>> encoding)
    implements ImageStage<Tiles> {
  @Override
  public StreamOptions reading(StreamOptions wanted) {
    return wanted;
  }

  @Override
  public Tiles prepare(RgbImage image) {
    return encoder.prepare(image);
  }

  @Override
  public int maxBatch() {
    return Integer.MAX_VALUE;
  }

  @Override
  public List<Encoded> encode(List<Tiles> images) {
    return encoding.apply(images).stream().map(vector -> new Encoded(vector, null)).toList();
  }

  @Override
  public void stop() {} // a batch takes no time worth ending it
}
