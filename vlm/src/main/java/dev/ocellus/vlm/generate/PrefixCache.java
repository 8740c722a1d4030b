package dev.ocellus.vlm.generate;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.io.Sha256;
import dev.ocellus.llama.StateFormatException;
import dev.ocellus.vlm.cache.CacheFolder;
import dev.ocellus.vlm.chat.AnswerListener;
import dev.ocellus.vlm.decode.ContextEntry;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.KvState;
import dev.ocellus.vlm.decode.PromptCache;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values of beginnings of prompts on disk, with recurrent states where there are any: from
 * the first token, the system message among them, through an image. A prompt that begins so is
 * continued from there in any process.
 *
 * <p>A file is recognized by the hash of all that its keys and values depend on: the model, the
 * image encoder with its options, the form of keys and values, the tokens, and the pixels of the
 * images. It holds a magic number, that hash, the SHA-256 of what follows, and keys and values as
 * libllama writes them, which are checked as those of saved sessions are before libllama sees them.
 */
final class PrefixCache {
  private static final byte[] MAGIC = "OCELPRE1".getBytes(StandardCharsets.US_ASCII);
  private static final int HASH = 32;
  private static final int HEADER = MAGIC.length + 2 * HASH;
  private static final int CHUNK = 1 << 20;

  private final CacheFolder folder;
  private final Identity model;

  /** What a model's keys and values depend on. */
  interface Identity {
    String get() throws IOException;
  }

  /**
   * @param model text model, image encoder and their options; asked when first needed
   */
  PrefixCache(CacheFolder folder, Identity model) {
    this.folder = folder;
    this.model = model;
  }

  /**
   * Brings the sequence to the last image of a prompt, from a file if there is one, else by
   * computing, and then there is a file.
   *
   * @return places that were computed
   */
  int prepare(
      List<ContextEntry> wanted,
      PromptCache cache,
      KvSequence sequence,
      CancellationFlag flag,
      AnswerListener listener) {
    List<Integer> ends = imageEnds(wanted);
    KvState state = sequence.state().orElse(null);
    int have = cache.reusable(wanted);
    if (ends.isEmpty() || state == null || have >= ends.getLast()) {
      return 0;
    }
    for (int end : ends.reversed()) {
      if (end <= have) {
        break;
      }
      if (load(wanted.subList(0, end), cache, state)) {
        have = end;
        break;
      }
    }
    if (have == ends.getLast()) {
      return 0;
    }
    List<ContextEntry> prefix = wanted.subList(0, ends.getLast());
    int reused = cache.fill(prefix, flag, listener);
    sequence.synchronize();
    save(prefix, state);
    return ContextEntry.placesOf(prefix) - reused;
  }

  /** Where runs of image embeddings end, but at the end of all, whose logits are wanted. */
  private static List<Integer> imageEnds(List<ContextEntry> entries) {
    List<Integer> ends = new ArrayList<>();
    for (int i = 1; i < entries.size(); i++) {
      if (entries.get(i - 1) instanceof ContextEntry.Image
          && entries.get(i) instanceof ContextEntry.Token) {
        ends.add(i);
      }
    }
    return ends;
  }

  private boolean load(List<ContextEntry> prefix, PromptCache cache, KvState state) {
    byte[] key = key(prefix, state);
    Boolean read =
        folder.find(Sha256.hex(key), channel -> read(channel, key, prefix, cache, state));
    return read != null && read;
  }

  /** Whether keys and values stand in the context now; null if the file is damaged. */
  private static @Nullable Boolean read(
      FileChannel channel, byte[] key, List<ContextEntry> prefix, PromptCache cache, KvState state)
      throws IOException {
    ByteBuffer header = bytes(channel, 0, HEADER);
    long length = channel.size() - HEADER;
    if (header.remaining() < HEADER
        || !Arrays.equals(header.array(), 0, MAGIC.length, MAGIC, 0, MAGIC.length)
        || !Arrays.equals(header.array(), MAGIC.length, MAGIC.length + HASH, key, 0, HASH)
        || length > state.maxLength(ContextEntry.placesOf(prefix))
        || !Arrays.equals(
            header.array(), MAGIC.length + HASH, HEADER, hash(channel, HEADER), 0, HASH)) {
      return null;
    }
    try {
      cache.restore(prefix, () -> state.read(channel, HEADER, length, prefix));
    } catch (StateFormatException e) {
      return null;
    }
    return cache.used() == ContextEntry.placesOf(prefix);
  }

  private static byte[] hash(FileChannel channel, long from) throws IOException {
    MessageDigest digest = Sha256.digest();
    for (long at = from; at < channel.size(); at += CHUNK) {
      digest.update(bytes(channel, at, CHUNK));
    }
    return digest.digest();
  }

  /** As many bytes as there are. */
  private static ByteBuffer bytes(FileChannel channel, long from, int most) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) Math.min(most, channel.size() - from));
    while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {
      continue; // a read may give less than there is
    }
    return bytes.flip();
  }

  private void save(List<ContextEntry> prefix, KvState state) {
    if (state.maxLength(ContextEntry.placesOf(prefix)) > folder.capacity()) {
      return;
    }
    byte[] key = key(prefix, state);
    folder.put(
        Sha256.hex(key),
        channel -> {
          channel.position(HEADER);
          var hashing = new HashingChannel(channel);
          state.write(hashing);
          ByteBuffer header =
              ByteBuffer.allocate(HEADER).put(MAGIC).put(key).put(hashing.digest()).flip();
          while (header.hasRemaining()) {
            channel.write(header, header.position());
          }
        });
  }

  private byte[] key(List<ContextEntry> prefix, KvState state) {
    var all = new StringBuilder();
    try {
      all.append(model.get()).append('\n').append(state.kind()).append('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    for (ContextEntry entry : prefix) {
      switch (entry) {
        case ContextEntry.Token(int id) -> all.append(id).append(' ');
        case ContextEntry.Image image ->
            all.append('[')
                .append(image.key())
                .append(' ')
                .append(image.from())
                .append(' ')
                .append(image.embeddings())
                .append(']');
      }
    }
    return Sha256.digest().digest(all.toString().getBytes(StandardCharsets.UTF_8));
  }
}
