package dev.ocellus.search;

import dev.ocellus.vlm.embedding.Vectors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.util.Bits;

/**
 * Finds the duplicates of an index: every image is searched for, and what is near enough joined.
 */
final class DuplicateSearch {
  private static final int NEIGHBORS = 32;
  private static final int MAX_NEIGHBORS = 2048;

  private static final Comparator<Entry> BEST_FIRST =
      Comparator.<Entry>comparingLong(e -> -(long) e.width() * e.height())
          .thenComparingLong(e -> -e.bytes())
          .thenComparing(Entry::path);

  private final ImageIndex index;
  private final double minCosine;
  private final ProgressListener listener;

  /** Images by their document, and what each was joined with, as a forest. */
  private final Map<Integer, Entry> entries = new TreeMap<>();

  private final Map<Integer, Integer> joined = new HashMap<>();

  DuplicateSearch(ImageIndex index, double minCosine, ProgressListener listener) {
    this.index = index;
    this.minCosine = minCosine;
    this.listener = listener;
  }

  /** The same file, or nearly the same image. */
  List<DuplicateGroup> all() throws IOException {
    readEntries();
    List<Integer> different = joinIdentical();
    int done = 0;
    for (int image : different) {
      joinNear(image);
      if (!listener.goOn(++done, different.size())) {
        throw new CancellationException("interrupted while duplicates were searched for");
      }
    }
    return groups();
  }

  /** The same file. */
  List<DuplicateGroup> identical() throws IOException {
    readEntries();
    joinIdentical();
    return groups();
  }

  /**
   * @return the first image of each content
   */
  private List<Integer> joinIdentical() {
    Map<String, Integer> contents = new HashMap<>();
    List<Integer> first = new ArrayList<>();
    entries.forEach((image, entry) -> {
      Integer same = contents.putIfAbsent(entry.sha256(), image);
      if (same == null) {
        first.add(image);
      } else {
        join(same, image);
      }
    });
    return first;
  }

  private void readEntries() throws IOException {
    for (LeafReaderContext leaf : index.reader().leaves()) {
      leaf.reader().checkIntegrity();
      FloatVectorValues vectors = leaf.reader().getFloatVectorValues(IndexFields.VECTOR);
      if (vectors == null) {
        continue;
      }
      Bits live = leaf.reader().getLiveDocs();
      var documents = vectors.iterator();
      while (documents.nextDoc() != DocIdSetIterator.NO_MORE_DOCS) {
        int doc = documents.docID();
        if (live == null || live.get(doc)) {
          entries.put(
              leaf.docBase + doc, IndexFields.entry(leaf.reader().storedFields().document(doc)));
        }
      }
    }
  }

  private void joinNear(int doc) throws IOException {
    float[] vector = vector(doc);
    for (int max = Math.min(NEIGHBORS, entries.size()); ; max *= 4) {
      List<ScoreDoc> near = index.nearest(vector, max);
      boolean all = true;
      for (ScoreDoc other : near) {
        if (IndexFields.cosine(other.score) >= minCosine) {
          join(doc, other.doc);
        } else {
          all = false;
        }
      }
      if (!all || max >= Math.min(MAX_NEIGHBORS, entries.size())) {
        return;
      }
    }
  }

  private float[] vector(int doc) throws IOException {
    List<LeafReaderContext> leaves = index.reader().leaves();
    LeafReaderContext leaf = leaves.get(ReaderUtil.subIndex(doc, leaves));
    FloatVectorValues vectors = leaf.reader().getFloatVectorValues(IndexFields.VECTOR);
    var documents = vectors.iterator();
    documents.advance(doc - leaf.docBase);
    return vectors.vectorValue(documents.index()).clone();
  }

  private void join(int a, int b) {
    int first = Math.min(root(a), root(b));
    joined.put(root(a), first);
    joined.put(root(b), first);
  }

  private int root(int doc) {
    int root = doc;
    for (int next = joined.getOrDefault(root, root); next != root; ) {
      root = next;
      next = joined.getOrDefault(root, root);
    }
    joined.put(doc, root); // shortens the way for the next time
    return root;
  }

  private List<DuplicateGroup> groups() throws IOException {
    Map<Integer, List<Integer>> members = new TreeMap<>();
    for (int doc : entries.keySet()) {
      members.computeIfAbsent(root(doc), r -> new ArrayList<>()).add(doc);
    }
    List<DuplicateGroup> groups = new ArrayList<>();
    for (List<Integer> group : members.values()) {
      if (group.size() > 1) {
        groups.add(group(group));
      }
    }
    groups.sort(
        Comparator.<DuplicateGroup>comparingInt(g -> -g.images().size())
            .thenComparing(g -> g.images().getFirst().path()));
    return groups;
  }

  private DuplicateGroup group(List<Integer> members) throws IOException {
    members.sort(Comparator.comparing(doc -> entry(doc), BEST_FIRST));
    int first = members.getFirst();
    float[] vector = vector(first);
    List<DuplicateGroup.Duplicate> images = new ArrayList<>();
    for (int doc : members) {
      Entry entry = entry(doc);
      boolean identical = entry.sha256().equals(entry(first).sha256());
      float cosine = doc == first ? 1 : (float) Math.min(1, Vectors.dot(vector, vector(doc)));
      Path path = index.location().folder().resolve(entry.path());
      images.add(
          new DuplicateGroup.Duplicate(
              path, entry.width(), entry.height(), entry.bytes(), identical, cosine));
    }
    return new DuplicateGroup(images);
  }

  private Entry entry(int doc) {
    Entry entry = entries.get(doc);
    if (entry == null) {
      throw new IllegalStateException("document %d is no image".formatted(doc));
    }
    return entry;
  }
}
