package dev.ocellus.search;

import dev.ocellus.vlm.embedding.Embedder;
import dev.ocellus.vlm.embedding.Vectors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.KnnVectorValues.DocIndexIterator;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.VectorScorer;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.Bits;
import org.jspecify.annotations.Nullable;

/**
 * An index of a folder of images, open for search. It stays as it was when it was opened, whoever
 * writes meanwhile. Thread-safe.
 *
 * <pre>{@code
 * IndexLocation photos = IndexLocation.inside(Path.of("photos"));
 * try (DualEncoder clip = DualEncoder.open(Path.of("clip.gguf"));
 *     ImageIndex index = ImageIndex.open(photos)) {
 *   index.requireModel(clip);
 *   for (SearchHit hit : index.search(clip.embedText("two dogs on a beach"), 10)) {
 *     System.out.println(hit.score() + " " + hit.path());
 *   }
 * }
 * }</pre>
 */
public final class ImageIndex implements AutoCloseable {
  /** Up to so many images all are compared, which takes a few milliseconds and misses none. */
  private static final int EXHAUSTIVE = 10_000;

  /** Candidates of the graph's search; fewer make it miss some of the best. */
  private static final int MIN_CANDIDATES = 128;

  private static final Comparator<ScoreDoc> BEST_FIRST =
      Comparator.<ScoreDoc>comparingDouble(d -> -d.score).thenComparingInt(d -> d.doc);

  private final IndexLocation location;
  private final FSDirectory files;
  private final DirectoryReader reader;
  private final IndexSearcher searcher;
  private final IndexInfo info;

  private ImageIndex(IndexLocation location, FSDirectory files, DirectoryReader reader)
      throws IOException {
    this.location = location;
    this.files = files;
    this.reader = reader;
    searcher = new IndexSearcher(reader);
    info = info(location.index(), reader);
  }

  /** Whether there is an index, in whatever state. */
  public static boolean exists(IndexLocation location) throws IOException {
    return Files.isDirectory(location.index()) && IndexFiles.hasCommit(location.index());
  }

  /**
   * Opens an index.
   *
   * @throws IndexException if there is none, or it cannot be read
   */
  public static ImageIndex open(IndexLocation location) throws IOException {
    Path index = location.index();
    if (!Files.isDirectory(index)) {
      throw IndexErrors.missing(index, null);
    }
    return IndexErrors.reading(
        index,
        () -> {
          FSDirectory files = FSDirectory.open(index);
          DirectoryReader reader = null;
          try {
            reader = DirectoryReader.open(files);
            return new ImageIndex(location, files, reader);
          } catch (Throwable e) {
            if (reader != null) {
              reader.close();
            }
            files.close();
            throw e;
          }
        });
  }

  private static IndexInfo info(Path index, DirectoryReader reader) throws IOException {
    Map<String, String> data = reader.getIndexCommit().getUserData();
    IndexFiles.requireFormat(index, data);
    int nImages = 0;
    for (LeafReaderContext leaf : reader.leaves()) {
      FloatVectorValues vectors = leaf.reader().getFloatVectorValues(IndexFields.VECTOR);
      nImages += vectors == null ? 0 : living(vectors, leaf.reader().getLiveDocs());
    }
    return new IndexInfo(
        data.getOrDefault(IndexFields.MODEL_KEY, ""),
        data.getOrDefault(IndexFields.SOURCE_KEY, ""),
        Integer.parseInt(data.getOrDefault(IndexFields.DIMENSION_KEY, "0")),
        nImages,
        reader.numDocs() - nImages);
  }

  private static int living(FloatVectorValues vectors, @Nullable Bits live) throws IOException {
    if (live == null) {
      return vectors.size();
    }
    int n = 0;
    DocIndexIterator documents = vectors.iterator();
    while (documents.nextDoc() != DocIndexIterator.NO_MORE_DOCS) {
      n += live.get(documents.docID()) ? 1 : 0;
    }
    return n;
  }

  /** Where it is. */
  public IndexLocation location() {
    return location;
  }

  /** What it holds. */
  public IndexInfo info() {
    return info;
  }

  /**
   * Sees to it that a model's vectors can be compared with those of the index.
   *
   * @throws IndexException if another model made it
   */
  public void requireModel(Embedder encoder) throws IOException {
    IndexModel.of(encoder, "").requireSame(location.index(), info);
  }

  /**
   * The images whose vectors are nearest to another.
   *
   * @param vector of length 1, of a text or an image
   * @param max how many at most, at least 1
   * @return the best first; of equal ones, that which was indexed first
   * @throws IllegalArgumentException if the vector is of another dimension
   */
  public List<SearchHit> search(float[] vector, int max) throws IOException {
    if (max < 1) {
      throw new IllegalArgumentException("max: expected at least 1, found " + max);
    }
    if (info.nImages() == 0) {
      return List.of();
    }
    if (vector.length != info.dimension()) {
      throw new IllegalArgumentException(
          "vector: expected %d numbers, as the index has, found %d"
              .formatted(info.dimension(), vector.length));
    }
    return IndexErrors.reading(
        location.index(),
        () -> {
          List<SearchHit> hits = new ArrayList<>();
          for (ScoreDoc found : nearest(vector, max)) {
            Entry entry = IndexFields.entry(searcher.storedFields().document(found.doc));
            hits.add(hit(entry, IndexFields.cosine(found.score)));
          }
          return hits;
        });
  }

  private SearchHit hit(Entry entry, float score) {
    return new SearchHit(
        location.folder().resolve(entry.path()),
        score,
        entry.width(),
        entry.height(),
        entry.bytes());
  }

  /** Documents, the best first. */
  List<ScoreDoc> nearest(float[] vector, int max) throws IOException {
    if (info.nImages() <= EXHAUSTIVE) {
      return nearestOfAll(vector, max);
    }
    int candidates = Math.max(Math.min(max, info.nImages()), MIN_CANDIDATES);
    var query = new KnnFloatVectorQuery(IndexFields.VECTOR, Vectors.normalized(vector), candidates);
    return best(List.of(searcher.search(query, candidates).scoreDocs), max);
  }

  /** The same without the graph. */
  List<ScoreDoc> nearestOfAll(float[] vector, int max) throws IOException {
    return best(all(Vectors.normalized(vector)), max);
  }

  private static List<ScoreDoc> best(List<ScoreDoc> found, int max) {
    return found.stream().sorted(BEST_FIRST).limit(max).toList();
  }

  private List<ScoreDoc> all(float[] vector) throws IOException {
    List<ScoreDoc> found = new ArrayList<>();
    for (LeafReaderContext leaf : reader.leaves()) {
      FloatVectorValues values = leaf.reader().getFloatVectorValues(IndexFields.VECTOR);
      if (values == null) {
        continue;
      }
      Bits live = leaf.reader().getLiveDocs();
      VectorScorer scorer = values.scorer(vector);
      var documents = scorer.iterator();
      while (documents.nextDoc() != DocIndexIterator.NO_MORE_DOCS) {
        int doc = documents.docID();
        if (live == null || live.get(doc)) {
          found.add(new ScoreDoc(leaf.docBase + doc, scorer.score()));
        }
      }
    }
    return found;
  }

  /**
   * Images that are the same file twice, or look nearly the same.
   *
   * @param minCosine of the vectors of two images that count as nearly the same, above 0, up to 1
   * @param listener told how many images have been compared; says whether to go on
   * @return groups of at least two, the largest first
   * @throws java.util.concurrent.CancellationException if the listener says no
   */
  public List<DuplicateGroup> duplicates(double minCosine, ProgressListener listener)
      throws IOException {
    if (!(minCosine > 0 && minCosine <= 1)) {
      throw new IllegalArgumentException(
          "minCosine: expected above 0, up to 1, found " + minCosine);
    }
    return IndexErrors.reading(
        location.index(), () -> new DuplicateSearch(this, minCosine, listener).all());
  }

  /**
   * Images that are the same file twice, byte for byte.
   *
   * @return groups of at least two, the largest first
   */
  public List<DuplicateGroup> identical() throws IOException {
    return IndexErrors.reading(
        location.index(), () -> new DuplicateSearch(this, 1, ProgressListener.NONE).identical());
  }

  DirectoryReader reader() {
    return reader;
  }

  IndexSearcher searcher() {
    return searcher;
  }

  @Override
  public void close() throws IOException {
    reader.close();
    files.close();
  }
}
