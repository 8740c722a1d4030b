package dev.ocellus.cli.terminal;

import dev.ocellus.vlm.chat.Message;
import dev.ocellus.vlm.image.ImageLimits;
import dev.ocellus.vlm.json.Conversations;
import dev.ocellus.vlm.json.ImageLoader;
import dev.ocellus.vlm.json.MessagesFormatException;
import dev.ocellus.vlm.json.MessagesJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Text files and standard input, which {@code -} stands for. */
public final class TextInput {
  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private TextInput() {}

  /**
   * The whole text, without the mark of the encoding that some editors put in front of it.
   *
   * @throws IOException if it cannot be read or is not UTF-8
   */
  public static String read(Io io, String file) throws IOException {
    if (file.equals("-")) {
      return decode(io.in().readAllBytes(), "standard input");
    }
    return read(Path.of(file));
  }

  /**
   * The whole text of a file.
   *
   * @throws IOException if it cannot be read or is not UTF-8
   */
  public static String read(Path file) throws IOException {
    try (InputStream in = open(file)) {
      return decode(in.readAllBytes(), file.toString());
    }
  }

  /** The lines of a text that may be long. */
  public static BufferedReader lines(Io io, String file) throws IOException {
    InputStream in = file.equals("-") ? io.in() : open(Path.of(file));
    return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
  }

  private static InputStream open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new FileSystemException(file.toString(), null, "is a directory; give a file with text");
    }
    return Files.newInputStream(file);
  }

  private static String decode(byte[] bytes, String name) throws IOException {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw new IOException(name + " is not UTF-8 text", e);
    }
  }

  /** Many conversations from a file; paths in it start from the directory that the file is in. */
  public static Conversations readConversations(Io io, String file) throws IOException {
    return Conversations.parse(name(file), read(io, file), base(file));
  }

  private static String name(String file) {
    return file.equals("-") ? "standard input" : file;
  }

  private static Path base(String file) {
    Path parent = file.equals("-") ? null : Path.of(file).toAbsolutePath().getParent();
    return parent == null ? Path.of("").toAbsolutePath() : parent;
  }

  /** A conversation from JSON; paths in it start from the directory that the file is in. */
  public static List<Message> readMessages(Io io, String file) throws IOException {
    String json = read(io, file);
    try {
      return MessagesJson.parse(json, ImageLoader.files(base(file), ImageLimits.DEFAULT));
    } catch (MessagesFormatException e) {
      throw new MessagesFormatException(name(file) + ": " + e.getMessage(), e);
    }
  }
}
