package dev.ocellus.search;

import dev.ocellus.Setting;
import dev.ocellus.search.IndexException.Kind;
import dev.ocellus.vlm.embedding.Embedder;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The model of an index.
 *
 * @param identity of its files, the same for every copy
 * @param source how whoever opens it again can name it
 * @param dimension numbers of a vector
 */
record IndexModel(String identity, String source, int dimension) {
  static IndexModel of(Embedder encoder, String source) throws IOException {
    return new IndexModel(encoder.identity(), source, encoder.dimension());
  }

  boolean isThatOf(IndexInfo info) {
    return identity.equals(info.identity()) && dimension == info.dimension();
  }

  void requireSame(Path index, IndexInfo info) {
    if (!isThatOf(info)) {
      throw new IndexException(
              Kind.OTHER_MODEL,
              index,
              "was made with another model, %s (%d numbers a vector), whose vectors cannot be compared with those of this one (%d). Give that model, or make the index anew with this one (UpdateOptions.rebuild)"
                  .formatted(info.source(), info.dimension(), dimension),
              null)
          .about(Setting.MODEL, Setting.REBUILD_INDEX);
    }
  }
}
