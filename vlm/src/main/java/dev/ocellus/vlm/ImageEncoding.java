package dev.ocellus.vlm;

import dev.ocellus.ggml.CancellationFlag;
import dev.ocellus.llama.Vocab;
import dev.ocellus.vlm.image.Visual;
import dev.ocellus.vlm.model.ImageInput;
import dev.ocellus.vlm.model.ImagePiece;
import dev.ocellus.vlm.model.TokenLimits;
import dev.ocellus.vlm.prompt.Prompt;
import dev.ocellus.vlm.prompt.Segment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Brings the pictures of a conversation to where they stand in the prompt, encoding only those that
 * are not in the context already. Keeps the time of the last call.
 */
final class ImageEncoding {
  private final @Nullable VisionEncoder encoder;
  private final Vocab vocab;
  private final TokenLimits limits;
  private final Map<String, ImageInput> prepared = new HashMap<>();
  private long preprocessNanos;
  private long encodeNanos;
  private int encodedTokens;
  private int imageTokens;

  ImageEncoding(@Nullable VisionEncoder encoder, Vocab vocab, TokenLimits limits) {
    this.encoder = encoder;
    this.vocab = vocab;
    this.limits = limits;
  }

  void startTiming() {
    prepared.clear();
    preprocessNanos = 0;
    encodeNanos = 0;
    encodedTokens = 0;
    imageTokens = 0;
  }

  /** Tokens of the last conversation that are pictures. */
  int imageTokens() {
    return imageTokens;
  }

  Timings.Stage preprocessTiming() {
    return new Timings.Stage(preprocessNanos / 1e6, encodedTokens);
  }

  Timings.Stage encodeTiming() {
    return new Timings.Stage(encodeNanos / 1e6, encodedTokens);
  }

  private VisionEncoder encoder() {
    if (encoder == null) {
      throw new IllegalStateException("a prompt with pictures was made without an encoder");
    }
    return encoder;
  }

  /** Tokens of a prompt with its pictures, which are preprocessed for it. */
  int countTokens(Prompt prompt, List<Visual> pictures) {
    int total = 0;
    for (Segment segment : prompt.segments()) {
      switch (segment) {
        case Segment.Tokens(int[] ids) -> total += ids.length;
        case Segment.Image(int index) -> {
          ImageInput input = prepare(pictures.get(index));
          imageTokens += input.nTokens();
          for (ImagePiece piece : input.layout()) {
            if (piece instanceof ImagePiece.Text(String text)) {
              total += vocab.tokenize(text, true).length;
            }
          }
        }
      }
    }
    return total + imageTokens;
  }

  /**
   * Most rows of a picture of the last conversation that stand together, and so have to be decoded
   * together where rows see each other.
   */
  int longestRows() {
    return prepared.values().stream()
        .flatMap(input -> input.layout().stream())
        .mapToInt(piece -> piece instanceof ImagePiece.Rows rows ? rows.count() : 0)
        .max()
        .orElse(0);
  }

  private ImageInput prepare(Visual picture) {
    return prepared.computeIfAbsent(
        picture.contentHash(),
        key -> {
          long start = System.nanoTime();
          ImageInput input = encoder().prepare(picture, limits);
          preprocessNanos += System.nanoTime() - start;
          return input;
        });
  }

  /** The entries of a prompt, with the embeddings of its pictures. */
  List<ContextEntry> resolve(
      Prompt prompt, List<Visual> pictures, ContextFiller filler, CancellationFlag flag) {
    Map<String, ImageEmbeddings> known = encodeMissing(pictures, filler, flag);
    Map<String, List<ImagePiece>> layouts = new HashMap<>();
    prepared.forEach((key, input) -> layouts.put(key, input.layout()));
    prepared.clear(); // the pixels are not needed any more
    List<ContextEntry> entries = new ArrayList<>();
    for (Segment segment : prompt.segments()) {
      switch (segment) {
        case Segment.Tokens(int[] ids) -> {
          for (int id : ids) {
            entries.add(new ContextEntry.Token(id));
          }
        }
        case Segment.Image(int index) -> {
          String key = pictures.get(index).contentHash();
          ImageEmbeddings embeddings = known.get(key);
          if (embeddings == null) {
            throw new IllegalStateException("picture " + index + " was not encoded");
          }
          addPicture(entries, key, embeddings, layouts.get(key));
        }
      }
    }
    return entries;
  }

  private void addPicture(
      List<ContextEntry> entries,
      String key,
      ImageEmbeddings embeddings,
      @Nullable List<ImagePiece> layout) {
    if (layout == null) {
      throw new IllegalStateException("a picture was not prepared");
    }
    int row = 0;
    for (ImagePiece piece : layout) {
      switch (piece) {
        case ImagePiece.Text(String text) -> {
          for (int id : vocab.tokenize(text, true)) {
            entries.add(new ContextEntry.Token(id));
          }
        }
        case ImagePiece.Rows rows -> {
          entries.add(new ContextEntry.Picture(key, embeddings, row, rows));
          row += rows.count();
        }
      }
    }
  }

  private Map<String, ImageEmbeddings> encodeMissing(
      List<Visual> pictures, ContextFiller filler, CancellationFlag flag) {
    Map<String, ImageEmbeddings> known = new HashMap<>();
    List<String> missing = new ArrayList<>();
    List<ImageInput> inputs = new ArrayList<>();
    for (Visual picture : pictures) {
      String key = picture.contentHash();
      ImageEmbeddings present = filler.find(key);
      if (present != null) {
        known.put(key, present);
      } else if (!missing.contains(key)) {
        missing.add(key);
        inputs.add(prepare(picture));
      }
    }
    if (!missing.isEmpty()) {
      long start = System.nanoTime();
      List<ImageEmbeddings> encoded = encoder().encode(inputs, flag);
      encodeNanos += System.nanoTime() - start;
      for (int i = 0; i < missing.size(); i++) {
        known.put(missing.get(i), encoded.get(i));
        encodedTokens += encoded.get(i).nTokens();
      }
    }
    return known;
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
