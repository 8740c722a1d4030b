package dev.ocellus.search;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.IndexWriterConfig.OpenMode;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.ReaderUtil;
import org.apache.lucene.index.StoredFields;
import org.apache.lucene.store.Directory;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.Lock;
import org.apache.lucene.util.Bits;
import org.jspecify.annotations.Nullable;

/**
 * An index open for writing, by one at a time. Closing without a commit loses what came after the
 * last.
 */
final class IndexStore implements AutoCloseable {
  private final Path index;
  private final Directory files;
  private final IndexWriter writer;

  /** As it was when the store was opened: what is known, and where vectors can be copied from. */
  private final DirectoryReader before;

  private final Map<String, Entry> known = new HashMap<>();
  private final Map<String, Integer> contents = new HashMap<>();

  private IndexStore(Path index, Directory files, IndexWriter writer, DirectoryReader before)
      throws IOException {
    this.index = index;
    this.files = files;
    this.writer = writer;
    this.before = before;
    readKnown();
  }

  /**
   * Opens or makes an index.
   *
   * @param rebuild whether to empty it, in one commit with what comes then
   */
  static IndexStore open(IndexLocation location, IndexModel model, boolean rebuild)
      throws IOException {
    IndexFiles.prepare(location);
    return open(location.index(), FSDirectory.open(location.index()), model, rebuild);
  }

  /**
   * The same in a prepared folder.
   *
   * @param files of the folder; closed with the store
   */
  static IndexStore open(Path index, Directory files, IndexModel model, boolean rebuild)
      throws IOException {
    IndexWriter writer = null;
    try {
      if (rebuild) {
        clearWhatCannotBeRead(index, files);
      } else if (IndexFiles.hasCommit(index)) {
        requireSame(index, files, model);
      }
      writer = IndexErrors.writing(index, () -> new IndexWriter(files, config()));
      return open(index, files, writer, model, rebuild);
    } catch (Throwable e) {
      if (writer != null && writer.isOpen()) {
        writer.rollback();
      }
      files.close();
      throw e;
    }
  }

  private static IndexStore open(
      Path index, Directory files, IndexWriter writer, IndexModel model, boolean rebuild)
      throws IOException {
    return IndexErrors.writing(
        index,
        () -> {
          if (rebuild) {
            writer.deleteAll();
          }
          writer.setLiveCommitData(
              IndexFields.commit(model.identity(), model.source(), model.dimension()).entrySet());
          return new IndexStore(index, files, writer, DirectoryReader.open(writer));
        });
  }

  private static IndexWriterConfig config() {
    return new IndexWriterConfig()
        .setOpenMode(OpenMode.CREATE_OR_APPEND)
        .setCommitOnClose(false)
        .setRAMBufferSizeMB(64)
        .setCodec(new IndexFields.Codec());
  }

  private static void requireSame(Path index, Directory files, IndexModel model)
      throws IOException {
    IndexErrors.reading(
        index,
        () -> {
          try (DirectoryReader reader = DirectoryReader.open(files)) {
            Map<String, String> data = reader.getIndexCommit().getUserData();
            IndexFiles.requireFormat(index, data);
            model.requireSame(
                index,
                new IndexInfo(
                    data.getOrDefault(IndexFields.MODEL_KEY, ""),
                    data.getOrDefault(IndexFields.SOURCE_KEY, ""),
                    Integer.parseInt(data.getOrDefault(IndexFields.DIMENSION_KEY, "0")),
                    0,
                    0));
            for (LeafReaderContext leaf : reader.leaves()) {
              leaf.reader().checkIntegrity(); // vectors are copied from it
            }
            return data;
          }
        });
  }

  /** A writer empties what it can read in one commit; the rest stands in its way. */
  private static void clearWhatCannotBeRead(Path index, Directory files) throws IOException {
    if (!IndexFiles.hasCommit(index)) {
      return;
    }
    try (DirectoryReader reader = DirectoryReader.open(files)) {
      for (LeafReaderContext leaf : reader.leaves()) {
        leaf.reader().checkIntegrity();
      }
      IndexFiles.requireFormat(index, reader.getIndexCommit().getUserData());
    } catch (IOException | RuntimeException | AssertionError e) {
      try (Lock lock =
          IndexErrors.writing(index, () -> files.obtainLock(IndexWriter.WRITE_LOCK_NAME))) {
        lock.ensureValid();
        IndexFiles.clear(index);
      }
    }
  }

  private void readKnown() throws IOException {
    for (LeafReaderContext leaf : before.leaves()) {
      Bits live = leaf.reader().getLiveDocs();
      StoredFields fields = leaf.reader().storedFields();
      for (int doc = 0; doc < leaf.reader().maxDoc(); doc++) {
        if (live == null || live.get(doc)) {
          Entry entry = IndexFields.entry(fields.document(doc));
          known.put(entry.path(), entry);
          if (!entry.sha256().isEmpty()) {
            contents.put(entry.sha256(), leaf.docBase + doc);
          }
        }
      }
    }
  }

  /** What the index knew when it was opened, by path. */
  Map<String, Entry> known() {
    return known;
  }

  /** Whether the index knew a content when it was opened. For any thread. */
  boolean hasContent(String sha256) {
    return contents.containsKey(sha256);
  }

  void remove(String path) throws IOException {
    IndexErrors.writing(index, () -> writer.deleteDocuments(IndexFields.key(path)));
  }

  /**
   * Adds or replaces an entry.
   *
   * @param vector of length 1; null if there is none
   */
  void put(Entry entry, float @Nullable [] vector) throws IOException {
    IndexErrors.writing(
        index,
        () ->
            writer.updateDocument(
                IndexFields.key(entry.path()), IndexFields.document(entry, vector)));
  }

  /**
   * Adds or replaces an entry whose content is known, with all that is known of it.
   *
   * @return the entry
   */
  Entry putCopy(Entry entry) throws IOException {
    int doc = contents.getOrDefault(entry.sha256(), -1);
    LeafReaderContext leaf = before.leaves().get(ReaderUtil.subIndex(doc, before.leaves()));
    Entry same = IndexFields.entry(leaf.reader().storedFields().document(doc - leaf.docBase));
    Entry copy =
        new Entry(
            entry.path(),
            entry.bytes(),
            entry.modified(),
            entry.sha256(),
            same.width(),
            same.height(),
            same.error());
    put(copy, vector(leaf, doc - leaf.docBase));
    return copy;
  }

  private static float @Nullable [] vector(LeafReaderContext leaf, int doc) throws IOException {
    FloatVectorValues vectors = leaf.reader().getFloatVectorValues(IndexFields.VECTOR);
    if (vectors == null) {
      return null;
    }
    var documents = vectors.iterator();
    return documents.advance(doc) == doc ? vectors.vectorValue(documents.index()).clone() : null;
  }

  /** Keeps what was done so far, as a whole. */
  void commit() throws IOException {
    IndexErrors.writing(index, writer::commit);
  }

  @Override
  public void close() throws IOException {
    try (files;
        before) {
      if (writer.isOpen()) {
        writer.rollback(); // a commit was made of all that is to stay
      }
    }
  }
}
