package dev.ocellus.cli.search;

import dev.ocellus.OcellusException;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.search.EmbedWriter.Entry;
import dev.ocellus.cli.terminal.Printable;
import dev.ocellus.cli.terminal.Progress;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.compute.ComputationCancelledException;
import dev.ocellus.vlm.embedding.EmbeddingInput;
import dev.ocellus.vlm.embedding.Vectors;
import dev.ocellus.vlm.embedding.VisionLanguageEmbedder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** The vectors of a vision-language model: images, texts, or images with texts, one by one. */
final class EmbedInputs implements Iterator<Entry> {
  /** An image, a text, or both. */
  private record Item(@Nullable ImageSource image, @Nullable String text) {
    String kind() {
      return image == null ? "text" : text == null ? "image" : "image+text";
    }

    String name() {
      return image != null ? image.toString() : String.valueOf(text);
    }
  }

  private final EmbedCommand command;
  private final VisionLanguageEmbedder embedder;
  private final CancellationFlag flag;
  private final Progress progress;
  private final List<Item> items = new ArrayList<>();
  private int at;
  private boolean failed;

  EmbedInputs(
      EmbedCommand command,
      VisionLanguageEmbedder embedder,
      CancellationFlag flag,
      Progress progress) {
    this.command = command;
    this.embedder = embedder;
    this.flag = flag;
    this.progress = progress;
    List<String> texts = command.texts;
    if (!command.together) {
      command.images.forEach(image -> items.add(new Item(image, null)));
      texts.forEach(text -> items.add(new Item(null, text)));
      return;
    }
    int n = command.images.size();
    if (n == 0 || (texts.size() != 1 && texts.size() != n)) {
      throw command.usage(
          "--together: expected one text, or as many as images; found %d images and %d texts"
              .formatted(n, texts.size()));
    }
    for (int i = 0; i < n; i++) {
      items.add(new Item(command.images.get(i), texts.get(texts.size() == 1 ? 0 : i)));
    }
  }

  int size() {
    return items.size();
  }

  /** Whether an input gave no vector. */
  boolean failed() {
    return failed;
  }

  @Override
  public boolean hasNext() {
    return at < items.size();
  }

  @Override
  public Entry next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Item item = items.get(at);
    progress.report(
        "embedding input %d of %d".formatted(at + 1, items.size()), (double) at / items.size());
    at++;
    try {
      return new Entry(item.kind(), item.name(), vector(item), null);
    } catch (ComputationCancelledException e) {
      throw e;
    } catch (IOException | OcellusException e) {
      return failure(item, e);
    }
  }

  private float[] vector(Item item) throws IOException {
    String text = item.text == null ? "" : item.text;
    var input = EmbeddingInput.of(text).withInstruction(command.instruction);
    if (item.image != null) {
      var image = item.image.read(command.io()).image();
      input = new EmbeddingInput(text, List.of(image), command.instruction);
    }
    int nDropped = embedder.nDropped(input);
    if (nDropped > 0) {
      command.note(
          "'%s' is longer than the model or its context takes; the last %d tokens were left out (option -c)"
              .formatted(Printable.shortened(item.name()), nDropped));
    }
    float[] features = embedder.features(input, flag);
    return command.noNormalize ? features : Vectors.normalized(features);
  }

  /** Of one input alone it is the failure of the command, of several it is told. */
  private Entry failure(Item item, Exception cause) {
    if (items.size() == 1) {
      throw cause instanceof IOException e ? new UncheckedIOException(e) : (RuntimeException) cause;
    }
    failed = true;
    return new Entry(item.kind(), item.name(), null, command.failed(item.name(), cause));
  }
}
