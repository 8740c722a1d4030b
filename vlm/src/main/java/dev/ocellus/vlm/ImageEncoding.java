package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.cache.EncodedImage;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.ImageInput;
import dev.ocellus.vlm.model.ImageOptions;
import dev.ocellus.vlm.model.ImagePiece;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.Segment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Brings the pictures of a conversation to where they stand in the prompt. Only those are
 * preprocessed and encoded that neither stand in the context nor in the image cache. Keeps the time
 * of the last call.
 */
final class ImageEncoding {
  private final @Nullable VisionEncoder encoder;
  private final ImageCache cache;
  private final Vocab vocab;
  private final ImageOptions options;
  private final Map<String, EncodedImage> known = new HashMap<>();
  private final Map<String, ImageInput> prepared = new LinkedHashMap<>();
  private long preprocessNanos;
  private long encodeNanos;
  private int encodedTokens;
  private int fromContext;
  private int fromMemory;
  private int fromDisk;
  private int encoded;

  ImageEncoding(
      @Nullable VisionEncoder encoder, ImageCache cache, Vocab vocab, ImageOptions options) {
    this.encoder = encoder;
    this.cache = cache;
    this.vocab = vocab;
    this.options = options;
  }

  /** Begins with a new question. */
  void start() {
    known.clear();
    prepared.clear();
    preprocessNanos = 0;
    encodeNanos = 0;
    encodedTokens = 0;
    fromContext = 0;
    fromMemory = 0;
    fromDisk = 0;
    encoded = 0;
  }

  Timings.Stage preprocessTiming() {
    return new Timings.Stage(preprocessNanos / 1e6, encodedTokens);
  }

  Timings.Stage encodeTiming() {
    return new Timings.Stage(encodeNanos / 1e6, encodedTokens);
  }

  /** Where the pictures came from. */
  ImageUse use() {
    return new ImageUse(encoded, fromContext, fromMemory, fromDisk);
  }

  private VisionEncoder encoder() {
    if (encoder == null) {
      throw new IllegalStateException("a prompt with pictures was made without an encoder");
    }
    return encoder;
  }

  /**
   * Tokens of a prompt with its pictures.
   *
   * @param total all of them
   * @param images rows of pictures
   * @param longestRows most rows that stand together, and so have to be decoded together where rows
   *     see each other
   */
  record Count(int total, int images, int longestRows) {}

  /** Counts tokens, for which pictures that are not known are preprocessed and not yet encoded. */
  Count count(Prompt prompt, List<Visual> pictures, ContextFiller filler) {
    int text = 0;
    int images = 0;
    int longest = 0;
    for (Segment segment : prompt.segments()) {
      switch (segment) {
        case Segment.Tokens(int[] ids) -> text += ids.length;
        case Segment.Image(int index) -> {
          for (ImagePiece piece : layout(pictures.get(index), filler)) {
            switch (piece) {
              case ImagePiece.Text(String written) -> text += vocab.tokenize(written, true).length;
              case ImagePiece.Rows rows -> {
                images += rows.count();
                longest = Math.max(longest, rows.count());
              }
            }
          }
        }
      }
    }
    return new Count(text + images, images, longest);
  }

  private List<ImagePiece> layout(Visual picture, ContextFiller filler) {
    String key = picture.contentHash();
    EncodedImage image = known.get(key);
    if (image != null) {
      return image.layout();
    }
    ImageInput input = prepared.get(key);
    if (input != null) {
      return input.layout();
    }
    image = lookUp(key, filler);
    if (image != null) {
      known.put(key, image);
      return image.layout();
    }
    long start = System.nanoTime();
    input = encoder().prepare(picture, options);
    preprocessNanos += System.nanoTime() - start;
    prepared.put(key, input);
    return input.layout();
  }

  private @Nullable EncodedImage lookUp(String key, ContextFiller filler) {
    EncodedImage present = filler.find(key);
    if (present != null) {
      fromContext++;
      return present;
    }
    Optional<ImageCache.Found> found = cache.find(key);
    if (found.isEmpty() || found.get().image().width() != encoder().architecture().width()) {
      return null;
    }
    switch (found.get().tier()) {
      case MEMORY -> fromMemory++;
      case DISK -> fromDisk++;
    }
    return found.get().image();
  }

  /** The entries of a prompt that was counted, with the embeddings of its pictures. */
  List<ContextEntry> resolve(Prompt prompt, List<Visual> pictures, CancellationFlag flag) {
    encodePrepared(flag);
    List<ContextEntry> entries = new ArrayList<>();
    for (Segment segment : prompt.segments()) {
      switch (segment) {
        case Segment.Tokens(int[] ids) -> {
          for (int id : ids) {
            entries.add(new ContextEntry.Token(id));
          }
        }
        case Segment.Image(int index) -> addPicture(entries, pictures.get(index).contentHash());
      }
    }
    known.clear(); // the context and the cache have them
    return entries;
  }

  private void addPicture(List<ContextEntry> entries, String key) {
    EncodedImage image = known.get(key);
    if (image == null) {
      throw new IllegalStateException("a picture was not encoded");
    }
    int row = 0;
    for (ImagePiece piece : image.layout()) {
      switch (piece) {
        case ImagePiece.Text(String text) -> {
          for (int id : vocab.tokenize(text, true)) {
            entries.add(new ContextEntry.Token(id));
          }
        }
        case ImagePiece.Rows rows -> {
          entries.add(new ContextEntry.Picture(key, image, row, rows));
          row += rows.count();
        }
      }
    }
  }

  private void encodePrepared(CancellationFlag flag) {
    if (prepared.isEmpty()) {
      return;
    }
    long start = System.nanoTime();
    List<ImageEmbeddings> results = encoder().encode(List.copyOf(prepared.values()), flag);
    encodeNanos += System.nanoTime() - start;
    int i = 0;
    for (Map.Entry<String, ImageInput> entry : prepared.entrySet()) {
      ImageEmbeddings rows = results.get(i++);
      var image =
          new EncodedImage(rows.rows(), rows.nTokens(), rows.width(), entry.getValue().layout());
      known.put(entry.getKey(), image);
      cache.put(entry.getKey(), image);
      encodedTokens += rows.nTokens();
      encoded++;
    }
    prepared.clear(); // the pixels are not needed any more
  }

  /** Ids of a prompt; -1 at every row of a picture. */
  static int[] promptTokens(List<ContextEntry> entries) {
    return entries.stream()
        .flatMapToInt(entry ->
            switch (entry) {
              case ContextEntry.Token(int id) -> IntStream.of(id);
              case ContextEntry.Picture picture ->
                  IntStream.generate(() -> -1).limit(picture.size());
            })
        .toArray();
  }
}
