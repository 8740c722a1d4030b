package dev.ocellus.search;

import dev.ocellus.io.Sha256;
import dev.ocellus.vlm.embedding.Embedder;
import dev.ocellus.vlm.embedding.EmbeddingStream;
import dev.ocellus.vlm.embedding.ImageEmbedding;
import dev.ocellus.vlm.image.ImageFormatException;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.codec.ImageDecoder;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Brings the index of a folder in line with the folder: new and changed images are encoded, those
 * that are gone are dropped, and nothing else is done. What is done is committed as a whole, now
 * and then and at the end; whatever happens, the index is as it was committed last, and the next
 * update goes on from there. Who searches meanwhile sees the last commit.
 *
 * <p>A file counts as changed when its size or its time of modification is another. Where its
 * content is that of another file of the index, the vector is taken from there.
 */
public final class IndexUpdate {
  /** A file on its way through the encoder; the decoder's thread notes what it sees. */
  private static final class Work {
    private final FolderScan.File file;
    private String sha256 = "";
    private int width;
    private int height;

    Work(FolderScan.File file) {
      this.file = file;
    }

    Entry entry(@Nullable String error) {
      return new Entry(file.path(), file.bytes(), file.modified(), sha256, width, height, error);
    }

    @Override
    public String toString() {
      return file.path();
    }
  }

  /** Says that a file need not be decoded, as its content is in the index. */
  private static final class KnownContentException extends IOException {
    private static final long serialVersionUID = 1;
  }

  private final IndexLocation location;
  private final Embedder encoder;
  private final UpdateOptions options;
  private final ProgressListener listener;
  private final List<UpdateReport.Unreadable> unreadable = new ArrayList<>();
  private int nEncoded;
  private int nReused;
  private int nUnchanged;
  private int nRemoved;

  private IndexUpdate(
      IndexLocation location, Embedder encoder, UpdateOptions options, ProgressListener listener) {
    this.location = location;
    this.encoder = encoder;
    this.options = options;
    this.listener = listener;
  }

  /**
   * Brings an index up to date, and makes it where there is none.
   *
   * @param source how the model can be named to open it again; kept in the index
   * @param listener told how it goes on; may stop it
   * @throws IndexException if it is being written, was made with another model, is damaged, or
   *     cannot be written
   * @throws IOException if the folder cannot be read
   * @throws CancellationException if the listener stopped it; what was done is kept
   */
  public static UpdateReport run(
      IndexLocation location,
      Embedder encoder,
      String source,
      UpdateOptions options,
      ProgressListener listener)
      throws IOException {
    IndexModel model = IndexModel.of(encoder, source);
    IndexUpdate update = new IndexUpdate(location, encoder, options, listener);
    // looked through first, so that nothing is made beside a folder that is not there
    FolderScan scan = FolderScan.of(location.folder(), () -> listener.goOn(0, -1));
    try (IndexStore store = IndexStore.open(location, model, options.rebuild())) {
      update.run(store, scan);
    }
    try (ImageIndex index = ImageIndex.open(location)) {
      return update.report(index.info().nImages());
    }
  }

  private UpdateReport report(int nImages) {
    return new UpdateReport(nEncoded, nReused, nUnchanged, nRemoved, nImages, unreadable);
  }

  private void run(IndexStore store, FolderScan scan) throws IOException {
    removeGone(store, scan);
    scan.problems()
        .forEach(p -> unreadable.add(new UpdateReport.Unreadable(p.path(), p.message())));
    List<Work> work = new ArrayList<>();
    for (FolderScan.File file : scan.files()) {
      Entry known = store.known().get(file.path());
      if (known == null || !known.isUnchanged(file)) {
        work.add(new Work(file));
        continue;
      }
      nUnchanged++;
      if (known.error() != null) {
        unreadable.add(new UpdateReport.Unreadable(known.path(), known.error()));
      }
    }
    encode(store, work);
    store.commit();
  }

  private void removeGone(IndexStore store, FolderScan scan) throws IOException {
    Set<String> there = new HashSet<>();
    scan.files().forEach(file -> there.add(file.path()));
    for (String path : store.known().keySet()) {
      if (!there.contains(path) && !scan.isHidden(path)) {
        store.remove(path);
        nRemoved++;
      }
    }
  }

  private void encode(IndexStore store, List<Work> work) throws IOException {
    long kept = System.nanoTime();
    int done = 0;
    try (EmbeddingStream<Work> stream =
        encoder.embedImages(work.iterator(), w -> read(store, w), options.reading())) {
      goOn(0, work.size());
      while (stream.hasNext()) {
        take(store, stream.next());
        if (System.nanoTime() - kept >= options.commitEvery().toNanos()) {
          store.commit();
          kept = System.nanoTime();
        }
        goOn(++done, work.size());
      }
    } catch (IndexException e) {
      throw e;
    } catch (RuntimeException e) { // of the encoder, or cancelled: what is done is good
      store.commit();
      throw e;
    }
  }

  private void goOn(int done, int total) {
    if (!listener.goOn(done, total)) {
      throw new CancellationException("interrupted after %d of %d images".formatted(done, total));
    }
  }

  /** On a decoder's thread. */
  private RgbImage read(IndexStore store, Work work) throws IOException {
    options.limits().checkBytes(work.file.bytes());
    byte[] bytes = Files.readAllBytes(work.file.file());
    work.sha256 = Sha256.hex(bytes);
    if (store.hasContent(work.sha256)) {
      throw new KnownContentException();
    }
    RgbImage image = ImageDecoder.decode(bytes, options.limits());
    work.width = image.width();
    work.height = image.height();
    return image;
  }

  private void take(IndexStore store, ImageEmbedding<Work> result) throws IOException {
    switch (result) {
      case ImageEmbedding.Vector<Work> v -> {
        store.put(v.item().entry(null), v.vector());
        nEncoded++;
      }
      case ImageEmbedding.Failure<Work> f -> {
        if (f.cause() instanceof KnownContentException) {
          reuse(store, f.item());
        } else {
          fail(store, f.item(), f.cause());
        }
      }
    }
  }

  private void reuse(IndexStore store, Work work) throws IOException {
    Entry known = store.putCopy(work.entry(null));
    nReused++;
    if (known.error() != null) {
      unreadable.add(new UpdateReport.Unreadable(work.file.path(), known.error()));
    }
  }

  /**
   * What is no image stays none until the file changes. What could not be read, or was too large
   * for this time, is tried again, and what the index knew of it stays.
   */
  private void fail(IndexStore store, Work work, Exception cause) throws IOException {
    String message = message(cause);
    unreadable.add(new UpdateReport.Unreadable(work.file.path(), message));
    if (cause instanceof ImageFormatException e
        && e.kind() != ImageFormatException.Kind.TOO_LARGE) {
      store.put(work.entry(message), null);
    }
  }

  private static String message(Exception cause) {
    return switch (cause) {
      case AccessDeniedException e -> "no permission";
      case NoSuchFileException e -> "is not there any more";
      case ImageFormatException e -> String.valueOf(e.getMessage()).replaceFirst("^image: ", "");
      default -> cause.getMessage() == null ? cause.toString() : cause.getMessage();
    };
  }
}
