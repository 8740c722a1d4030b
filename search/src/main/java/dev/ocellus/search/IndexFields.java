package dev.ocellus.search;

import java.io.IOException;
import java.util.Map;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.IndexableField;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.jspecify.annotations.Nullable;

/** How entries, vectors and the model are laid down in Lucene's files. */
final class IndexFields {
  static final String VECTOR = "vector";

  /** Keys of what is kept with every commit. */
  static final String FORMAT_KEY = "ocellus.format";

  static final String FORMAT = "1";
  static final String MODEL_KEY = "ocellus.model";
  static final String SOURCE_KEY = "ocellus.model.source";
  static final String DIMENSION_KEY = "ocellus.dimension";

  private static final String PATH = "path";
  private static final String BYTES = "bytes";
  private static final String MODIFIED = "modified";
  private static final String SHA256 = "sha256";
  private static final String WIDTH = "width";
  private static final String HEIGHT = "height";
  private static final String ERROR = "error";

  private IndexFields() {}

  static Map<String, String> commit(String identity, String source, int dimension) {
    return Map.of(
        FORMAT_KEY,
        FORMAT,
        MODEL_KEY,
        identity,
        SOURCE_KEY,
        source,
        DIMENSION_KEY,
        Integer.toString(dimension));
  }

  static Term key(String path) {
    return new Term(PATH, path);
  }

  static Document document(Entry entry, float @Nullable [] vector) {
    Document document = new Document();
    document.add(new StringField(PATH, entry.path(), Field.Store.YES));
    document.add(new StoredField(BYTES, entry.bytes()));
    document.add(new StoredField(MODIFIED, entry.modified()));
    document.add(new StoredField(SHA256, entry.sha256()));
    document.add(new StoredField(WIDTH, entry.width()));
    document.add(new StoredField(HEIGHT, entry.height()));
    if (entry.error() != null) {
      document.add(new StoredField(ERROR, entry.error()));
    }
    if (vector != null) {
      document.add(new KnnFloatVectorField(VECTOR, vector, VectorSimilarityFunction.DOT_PRODUCT));
    }
    return document;
  }

  static Entry entry(Document document) {
    return new Entry(
        text(document, PATH),
        number(document, BYTES),
        number(document, MODIFIED),
        text(document, SHA256),
        (int) number(document, WIDTH),
        (int) number(document, HEIGHT),
        document.get(ERROR));
  }

  private static String text(Document document, String field) {
    String text = document.get(field);
    return text == null ? "" : text;
  }

  private static long number(Document document, String field) {
    IndexableField value = document.getField(field);
    Number number = value == null ? null : value.numericValue();
    return number == null ? 0 : number.longValue();
  }

  /** The cosine behind Lucene's score of a dot product, which is never negative. */
  static float cosine(float score) {
    return Math.clamp(2 * score - 1, -1f, 1f);
  }

  /** Lucene's codec, with vectors of any length that a dual encoder has. */
  static final class Codec extends Lucene104Codec {
    private final KnnVectorsFormat vectors = new LongVectors();

    @Override
    public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
      return vectors;
    }
  }

  /**
   * Lucene's own format, which refuses more than 1,024 numbers when it writes and reads any: under
   * its own name, so that Lucene alone can read the index. SigLIP's so400m has 1,152.
   */
  private static final class LongVectors extends KnnVectorsFormat {
    private static final int MAX_DIMENSION = 16_384;

    private final KnnVectorsFormat format;

    LongVectors() {
      this(new Lucene99HnswVectorsFormat());
    }

    private LongVectors(KnnVectorsFormat format) {
      super(format.getName());
      this.format = format;
    }

    @Override
    public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
      return format.fieldsWriter(state);
    }

    @Override
    public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
      return format.fieldsReader(state);
    }

    @Override
    public int getMaxDimensions(String field) {
      return MAX_DIMENSION;
    }
  }
}
