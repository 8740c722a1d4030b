package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.cache.ImageCache;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.chat.ImageReport;
import dev.ocellus.vlm.chat.ImageUse;
import dev.ocellus.vlm.chat.Timings;
import dev.ocellus.vlm.decode.ContextEntry;
import dev.ocellus.vlm.decode.PromptCache;
import dev.ocellus.vlm.encoder.ImageEmbeddings;
import dev.ocellus.vlm.encoder.VisionEncoder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.Segment;
import dev.ocellus.vlm.vision.EncodedImage;
import dev.ocellus.vlm.vision.ImageInput;
import dev.ocellus.vlm.vision.ImageOptions;
import dev.ocellus.vlm.vision.ImagePiece;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Brings the images of a conversation to where they stand in the prompt. Only those are
 * preprocessed and encoded that neither stand in the context nor in the image cache. Keeps the time
 * of the last call.
 */
final class ImageResolver {
  /** Images whose reports are kept; more than a conversation has. */
  private static final int MAX_REPORTS = 256;

  private final @Nullable VisionEncoder encoder;
  private final ImageCache cache;
  private final Vocab vocab;
  private final ImageOptions options;
  private final Map<String, EncodedImage> known = new HashMap<>();
  private final Map<String, ImageInput> prepared = new LinkedHashMap<>();
  private final Map<String, int[]> tokensOfText = new HashMap<>();
  private final Map<String, ImageReport> reports =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, ImageReport> eldest) {
          return size() > MAX_REPORTS;
        }
      };
  private List<Integer> instruction = List.of();
  private long preprocessNanos;
  private long encodeNanos;
  private int encodedTokens;
  private int fromContext;
  private int fromMemory;
  private int fromDisk;
  private int encoded;

  ImageResolver(
      @Nullable VisionEncoder encoder, ImageCache cache, Vocab vocab, ImageOptions options) {
    this.encoder = encoder;
    this.cache = cache;
    this.vocab = vocab;
    this.options = options;
  }

  /**
   * Begins with a new question.
   *
   * @param text what is asked, for encoders that read it with the images
   */
  void start(String text) {
    instruction = encoder == null ? List.of() : encoder.architecture().instruction(text);
    known.clear();
    prepared.clear();
    tokensOfText.clear();
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

  /** Where the images came from. */
  ImageUse use() {
    return new ImageUse(encoded, fromContext, fromMemory, fromDisk);
  }

  private VisionEncoder encoder() {
    if (encoder == null) {
      throw new IllegalStateException("a prompt with images was made without an encoder");
    }
    return encoder;
  }

  /**
   * Tokens of a prompt with its images.
   *
   * @param total all of them
   * @param images image embeddings
   * @param longestRows max. number of embeddings of one image, which have to be decoded together
   *     where image attention is non-causal
   */
  record Count(int total, int images, int longestRows) {}

  /** Counts tokens, for which images that are not known are preprocessed and not yet encoded. */
  Count count(Prompt prompt, List<Visual> visuals, PromptCache filler) {
    int text = 0;
    int images = 0;
    int longest = 0;
    for (Segment segment : prompt.segments()) {
      switch (segment) {
        case Segment.Tokens(int[] ids) -> text += ids.length;
        case Segment.Image(int index) -> {
          for (ImagePiece piece : layout(visuals.get(index), filler)) {
            switch (piece) {
              case ImagePiece.Text(String written) -> text += tokens(written).length;
              case ImagePiece.Embeddings rows -> {
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

  /** Of text between the rows of an image, which is the same many times. */
  private int[] tokens(String text) {
    return tokensOfText.computeIfAbsent(text, t -> vocab.tokenize(t, true));
  }

  private List<ImagePiece> layout(Visual visual, PromptCache filler) {
    String key = key(visual);
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
    input = encoder().prepare(visual, options).withInstruction(instruction);
    preprocessNanos += System.nanoTime() - start;
    prepared.put(key, input);
    keepReport(visual, input);
    return input.layout();
  }

  private void keepReport(Visual visual, ImageInput input) {
    if (visual instanceof RgbImage image) {
      reports.put(image.contentHash(), encoder().report(image, input, options));
    }
  }

  /**
   * Tells how the images of a prompt that was counted are seen. One that was found in the image
   * cache is prepared for it, where that was not done since this was made.
   */
  void report(List<Visual> visuals, AnswerListener listener) {
    if (listener == AnswerListener.NONE) {
      return;
    }
    int index = 0;
    for (Visual visual : visuals) {
      if (visual instanceof RgbImage image) {
        if (!reports.containsKey(image.contentHash())) {
          keepReport(image, encoder().prepare(image, options));
        }
        listener.onImage(index++, Objects.requireNonNull(reports.get(image.contentHash())));
      }
    }
  }

  /** What the embeddings follow from: the image, and the instruction where the encoder reads it. */
  private String key(Visual visual) {
    String hash = visual.contentHash();
    return instruction.isEmpty() ? hash : ImageCache.sha256(hash + instruction);
  }

  private @Nullable EncodedImage lookUp(String key, PromptCache filler) {
    EncodedImage present = filler.find(key);
    if (present != null) {
      fromContext++;
      return present;
    }
    return lookUp(key);
  }

  private @Nullable EncodedImage lookUp(String key) {
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

  /** The entries of a prompt that was counted, with the embeddings of its images. */
  List<ContextEntry> resolve(Prompt prompt, List<Visual> visuals, CancellationFlag flag) {
    encodePrepared(flag);
    List<ContextEntry> entries = new ArrayList<>();
    for (Segment segment : prompt.segments()) {
      switch (segment) {
        case Segment.Tokens(int[] ids) -> {
          for (int id : ids) {
            entries.add(new ContextEntry.Token(id));
          }
        }
        case Segment.Image(int index) -> addImage(entries, key(visuals.get(index)));
      }
    }
    known.clear(); // the context and the cache have them
    return entries;
  }

  private void addImage(List<ContextEntry> entries, String key) {
    EncodedImage image = known.get(key);
    if (image == null) {
      throw new IllegalStateException("an image was not encoded");
    }
    int row = 0;
    for (ImagePiece piece : image.layout()) {
      switch (piece) {
        case ImagePiece.Text(String text) -> {
          for (int id : tokens(text)) {
            entries.add(new ContextEntry.Token(id));
          }
        }
        case ImagePiece.Embeddings rows -> {
          entries.add(new ContextEntry.Image(key, image, row, rows));
          row += rows.count();
        }
      }
    }
  }

  private void encodePrepared(CancellationFlag flag) {
    while (!prepared.isEmpty()) {
      List<String> mine = prepared.keySet().stream().filter(cache.inWork()::begin).toList();
      if (mine.isEmpty()) {
        String key = prepared.keySet().iterator().next();
        EncodedImage image = cache.inWork().await(key, flag);
        if (image != null) { // else it is begun here in the next round
          known.put(key, image);
          prepared.remove(key);
          fromMemory++;
        }
      } else {
        encodeMine(mine, flag);
      }
    }
  }

  /** Encodes what nobody else does; what somebody has done meanwhile is found. */
  private void encodeMine(List<String> keys, CancellationFlag flag) {
    try {
      for (String key : keys) {
        EncodedImage image = lookUp(key);
        if (image != null) {
          known.put(key, image);
        }
      }
      List<String> rest = keys.stream().filter(key -> !known.containsKey(key)).toList();
      if (!rest.isEmpty()) {
        encode(rest, flag);
      }
    } finally {
      keys.forEach(key -> cache.inWork().end(key, known.get(key)));
    }
    keys.forEach(prepared::remove); // the pixels are not needed any more
  }

  private void encode(List<String> keys, CancellationFlag flag) {
    long start = System.nanoTime();
    List<ImageInput> inputs = keys.stream().map(prepared::get).toList();
    List<ImageEmbeddings> results = encoder().encode(inputs, flag);
    encodeNanos += System.nanoTime() - start;
    for (int i = 0; i < keys.size(); i++) {
      ImageEmbeddings rows = results.get(i);
      var image =
          new EncodedImage(rows.values(), rows.nTokens(), rows.width(), inputs.get(i).layout());
      known.put(keys.get(i), image);
      cache.put(keys.get(i), image);
      encodedTokens += rows.nTokens();
      encoded++;
    }
  }

  /** Ids of a prompt; -1 at every row of an image. */
  static int[] promptTokens(List<ContextEntry> entries) {
    return entries.stream()
        .flatMapToInt(entry ->
            switch (entry) {
              case ContextEntry.Token(int id) -> IntStream.of(id);
              case ContextEntry.Image image -> IntStream.generate(() -> -1).limit(image.size());
            })
        .toArray();
  }
}
