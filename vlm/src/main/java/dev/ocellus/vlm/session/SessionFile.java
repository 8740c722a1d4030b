package dev.ocellus.vlm.session;

import dev.ocellus.OcellusException;
import dev.ocellus.io.AtomicFile;
import dev.ocellus.io.Channels;
import dev.ocellus.io.Sha256;
import dev.ocellus.llama.StateFormatException;
import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.decode.ContextEntry;
import dev.ocellus.vlm.decode.KvSequence;
import dev.ocellus.vlm.decode.KvState;
import dev.ocellus.vlm.decode.PromptCache;
import dev.ocellus.vlm.decode.SavedCheckpoints;
import dev.ocellus.vlm.generate.AnswerGenerator;
import dev.ocellus.vlm.generate.Pipeline;
import dev.ocellus.vlm.options.ModelMismatchException;
import dev.ocellus.vlm.session.SessionHeader.Extent;
import dev.ocellus.vlm.session.SessionHeader.Section;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sessions on disk: the conversation, and the keys and values that were computed for it, with
 * recurrent states where the model has some.
 *
 * <p>Everything is checked before anything is changed. Checksums find damage, but anybody can write
 * a file with the right ones; so nothing that a file says is taken for true, and keys and values
 * reach libllama only if all that it acts on in them is what this model and context would have
 * written for the entries that the file names.
 */
public final class SessionFile {
  private static final Logger LOG = System.getLogger("dev.ocellus.vlm.session");

  private SessionFile() {}

  /**
   * Writes a session; the file is there whole or not at all.
   *
   * @param generator where the conversation stands; null where it stands nowhere
   */
  public static void write(
      Path file, Pipeline pipeline, List<Message> messages, @Nullable AnswerGenerator generator)
      throws IOException {
    List<ContextEntry> entries = generator == null ? List.of() : generator.cache().present();
    Path name = pipeline.options().model().getFileName();
    List<byte[]> parts =
        List.of(
            SessionContent.info(String.valueOf(name), messages),
            SessionContent.messages(messages),
            SessionEntries.write(entries),
            SessionEntries.writeImages(entries));
    AtomicFile.writeInAnyOrder(
        file,
        channel -> {
          channel.position(SessionHeader.SIZE);
          List<Extent> extents = new ArrayList<>();
          for (byte[] part : parts) {
            var out = new Hashing(channel);
            out.write(ByteBuffer.wrap(part));
            extents.add(out.extent());
          }
          var state = new Hashing(channel);
          KvState saved = generator == null ? null : generator.sequence().state().orElse(null);
          if (saved != null && !entries.isEmpty()) {
            saved.write(state);
          }
          extents.add(state.extent());
          var checkpoints = new Hashing(channel);
          if (generator != null && state.length > 0) {
            SavedCheckpoints.write(generator.cache(), checkpoints);
          }
          extents.add(checkpoints.extent());
          String kind = saved == null || state.length == 0 ? "" : saved.kind();
          ByteBuffer header =
              new SessionHeader(
                      SessionHeader.hash(pipeline.identity().get()),
                      SessionHeader.hash(pipeline.prompts().templates()),
                      SessionHeader.hash(kind),
                      extents)
                  .write();
          Channels.write(channel.position(0), header);
        });
  }

  /** Counts and hashes what is written. */
  private static final class Hashing implements WritableByteChannel {
    private final SeekableByteChannel channel;
    private final MessageDigest digest = Sha256.digest();
    private long length;

    Hashing(SeekableByteChannel channel) {
      this.channel = channel;
    }

    @Override
    public int write(ByteBuffer bytes) throws IOException {
      digest.update(bytes.duplicate());
      int n = bytes.remaining();
      Channels.write(channel, bytes);
      length += n;
      return n;
    }

    Extent extent() {
      return new Extent(length, digest.digest());
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() {
      // the file is the caller's
    }
  }

  /** A session that was read, with the file open for its keys and values. */
  public static final class Opened implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final SessionHeader header;
    private final List<Message> messages;
    private final List<ContextEntry> entries;
    private final Pipeline pipeline;

    private Opened(
        Pipeline pipeline,
        Path file,
        FileChannel channel,
        SessionHeader header,
        List<Message> messages,
        List<ContextEntry> entries) {
      this.pipeline = pipeline;
      this.file = file;
      this.channel = channel;
      this.header = header;
      this.messages = messages;
      this.entries = entries;
    }

    public List<Message> messages() {
      return messages;
    }

    /**
     * Brings what was computed back, where it is there and fits this context; otherwise the
     * conversation is computed again when it goes on, and the log says why.
     *
     * @throws SessionFormatException if it is damaged, or not that of the entries; nothing was
     *     changed then
     */
    public void restore(AnswerGenerator generator) throws IOException {
      KvState state = generator.sequence().state().orElse(null);
      if (entries.isEmpty() || state == null || header.length(Section.STATE) == 0) {
        return; // nothing was computed, or nothing that can be kept
      }
      String obstacle = obstacle(generator.sequence(), state);
      if (obstacle == null) {
        restore(generator.cache(), state);
        obstacle =
            generator.cache().present().isEmpty()
                ? "not finite, or more than there is room for"
                : null;
      }
      if (obstacle != null) {
        LOG.log(
            Level.WARNING,
            "{0}: keys and values are {1}; the conversation is computed again when it goes on",
            file,
            obstacle);
      }
    }

    /** Why keys and values cannot be used here; null if they can. */
    private @Nullable String obstacle(KvSequence sequence, KvState state) {
      long nPlaces = entries.stream().mapToLong(ContextEntry::size).sum();
      if (nPlaces > sequence.nCtx()) {
        return "%d, and the context holds %d".formatted(nPlaces, sequence.nCtx());
      }
      if (!Arrays.equals(header.template(), SessionHeader.hash(pipeline.prompts().templates()))) {
        return "of another chat template";
      }
      return Arrays.equals(header.stateKind(), SessionHeader.hash(state.kind()))
          ? null
          : "of another form (types of the cache, flash attention, or release)";
    }

    private void restore(PromptCache cache, KvState state) throws IOException {
      int nPlaces = ContextEntry.placesOf(entries);
      long length = header.length(Section.STATE);
      if (length > state.maxLength(nPlaces)) { // before time is spent on its checksum
        throw SessionHeader.damaged(
            file,
            "%d bytes of keys and values are more than %d places have".formatted(length, nPlaces),
            null);
      }
      header.checkSection(file, channel, Section.STATE);
      header.checkSection(file, channel, Section.CHECKPOINTS);
      long offset = header.offset(Section.STATE);
      try (SavedCheckpoints checkpoints = checkpoints(state)) {
        cache.restore(entries, () -> state.read(channel, offset, length, entries));
        if (!cache.present().isEmpty()) {
          checkpoints.addTo(cache);
        }
      } catch (StateFormatException e) {
        throw SessionHeader.damaged(file, String.valueOf(e.getMessage()), e);
      }
    }

    private SavedCheckpoints checkpoints(KvState state) throws IOException {
      return SavedCheckpoints.read(
          state,
          channel,
          header.offset(Section.CHECKPOINTS),
          header.length(Section.CHECKPOINTS),
          entries);
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  /**
   * Opens a session and checks all of it but the keys and values, which may not be needed.
   *
   * @throws SessionFormatException if it is none, or damaged
   * @throws ModelMismatchException if it was saved with another model
   */
  public static Opened open(Path file, Pipeline pipeline) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
    boolean ok = false;
    try {
      SessionHeader header = SessionHeader.read(file, channel);
      List<String> info = text(header.section(file, channel, Section.INFO)).lines().toList();
      if (!Arrays.equals(header.model(), SessionHeader.hash(pipeline.identity().get()))) {
        throw new ModelMismatchException(
            "%s was saved with another model (%s); loaded is %s. Nothing was changed; start with that model and its image encoder, or use a conversation saved as JSON."
                .formatted(
                    file, info.isEmpty() ? "?" : info.getFirst(), pipeline.options().model()));
      }
      try {
        List<ContextEntry> entries =
            SessionEntries.read(
                header.section(file, channel, Section.ENTRIES).array(),
                header.section(file, channel, Section.IMAGES).array(),
                pipeline.decoder().vocab().nTokens(),
                pipeline.decoder().embeddingWidth());
        List<String> sources =
            info.size() > 1 ? info.subList(1, info.size()) : Collections.emptyList();
        List<Message> messages =
            SessionContent.readMessages(
                header.section(file, channel, Section.MESSAGES).array(), sources);
        ok = true;
        return new Opened(pipeline, file, channel, header, messages, entries);
      } catch (IOException | OcellusException e) {
        throw SessionHeader.damaged(file, String.valueOf(e.getMessage()), e);
      }
    } finally {
      if (!ok) {
        channel.close();
      }
    }
  }

  private static String text(ByteBuffer bytes) {
    return new String(bytes.array(), StandardCharsets.UTF_8);
  }
}
