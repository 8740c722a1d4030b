package dev.ocellus.search;

import dev.ocellus.Setting;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.search.IndexException.Kind;
import dev.ocellus.vlm.embedding.DualEncoder;
import java.io.IOException;
import java.nio.file.Path;

/**
 * The model of an index.
 *
 * @param identity of its file, the same for every copy
 * @param source how whoever opens it again can name it
 * @param dimension numbers of a vector
 */
record IndexModel(String identity, String source, int dimension) {
  static IndexModel of(DualEncoder encoder, String source) throws IOException {
    try (GgufFile file = GgufFile.open(encoder.path())) {
      return new IndexModel(file.identity(), source, encoder.dimension());
    }
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
