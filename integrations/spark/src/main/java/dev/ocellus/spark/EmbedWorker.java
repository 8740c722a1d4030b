package dev.ocellus.spark;

import dev.ocellus.vlm.image.ImageSize;
import dev.ocellus.vlm.vision.Tiles;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** The vectors of a dual encoder. */
final class EmbedWorker implements RowWorker {
  private final VectorModel model;

  EmbedWorker(VectorModel model) {
    this.model = model;
  }

  @Override
  public Object[] answer(ImageFile file, Seen seen) throws Exception {
    Tiles tiles = model.encoder().prepare(file.decode(seen));
    seen.requireWanted();
    return new Object[] {boxed(model.embed(tiles)), sizes(tiles), tokens(tiles)};
  }

  /** Rows hold arrays of objects only. */
  static Float[] boxed(float[] vector) {
    Float[] boxed = new Float[vector.length];
    for (int i = 0; i < vector.length; i++) {
      boxed[i] = vector[i];
    }
    return boxed;
  }

  static Row[] sizes(Tiles tiles) {
    ImageSize size = tiles.size();
    return new Row[] {RowFactory.create(size.width(), size.height())};
  }

  /** Patches, which are what such an encoder computes with. */
  static int tokens(Tiles tiles) {
    return tiles.gridX() * tiles.gridY();
  }
}
