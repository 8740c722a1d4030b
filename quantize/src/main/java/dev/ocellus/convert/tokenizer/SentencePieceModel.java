package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.CheckpointFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A SentencePiece {@code tokenizer.model}: a protobuf message of which few fields are needed.
 *
 * <p>Source: <a
 * href="https://github.com/google/sentencepiece/blob/v0.2.0/src/sentencepiece_model.proto">
 * sentencepiece_model.proto</a>; <a
 * href="https://protobuf.dev/programming-guides/encoding/">encoding</a>.
 */
final class SentencePieceModel {
  /** How text is cut. */
  static final int UNIGRAM = 1;

  static final int BPE = 2;

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  /** A token; {@code kind} has SentencePiece's numbers, which are those of {@link TokenKind}. */
  record Piece(String text, float score, int kind) {}

  final List<Piece> pieces = new ArrayList<>();
  int modelType = UNIGRAM;
  boolean addDummyPrefix = true;
  boolean removeExtraWhitespaces = true;
  byte[] precompiledCharsmap = new byte[0];

  private final Path file;

  private SentencePieceModel(Path file) {
    this.file = file;
  }

  /**
   * Reads a file.
   *
   * @throws ConversionException if it is no SentencePiece model
   */
  static SentencePieceModel read(Path file) throws IOException {
    SentencePieceModel model = new SentencePieceModel(file);
    model.model(
        ByteBuffer.wrap(CheckpointFiles.read(file, "SentencePiece"))
            .order(ByteOrder.LITTLE_ENDIAN));
    if (model.pieces.isEmpty()) {
      throw model.damaged("at least one token", "none");
    }
    return model;
  }

  private void model(ByteBuffer in) {
    while (in.hasRemaining()) {
      long tag = varint(in);
      switch ((int) (tag >>> 3)) {
        case 1 -> pieces.add(piece(message(in, tag)));
        case 2 -> trainer(message(in, tag));
        case 3 -> normalizer(message(in, tag));
        default -> skip(in, tag);
      }
    }
  }

  private Piece piece(ByteBuffer in) {
    String text = "";
    float score = 0;
    int kind = TokenKind.NORMAL.id;
    while (in.hasRemaining()) {
      long tag = varint(in);
      switch ((int) (tag >>> 3)) {
        case 1 -> text = StandardCharsets.UTF_8.decode(message(in, tag)).toString();
        case 2 -> {
          require(tag, FIXED32);
          score = need(in, 4).getFloat();
        }
        case 3 -> {
          require(tag, VARINT);
          kind = (int) varint(in);
        }
        default -> skip(in, tag);
      }
    }
    return new Piece(text, score, kind);
  }

  private void trainer(ByteBuffer in) {
    while (in.hasRemaining()) {
      long tag = varint(in);
      if (tag >>> 3 == 3 && (tag & 7) == VARINT) {
        modelType = (int) varint(in);
      } else {
        skip(in, tag);
      }
    }
  }

  private void normalizer(ByteBuffer in) {
    while (in.hasRemaining()) {
      long tag = varint(in);
      switch ((int) (tag >>> 3)) {
        case 2 -> {
          ByteBuffer map = message(in, tag);
          precompiledCharsmap = new byte[map.remaining()];
          map.get(precompiledCharsmap);
        }
        case 3 -> {
          require(tag, VARINT);
          addDummyPrefix = varint(in) != 0;
        }
        case 4 -> {
          require(tag, VARINT);
          removeExtraWhitespaces = varint(in) != 0;
        }
        default -> skip(in, tag);
      }
    }
  }

  private ByteBuffer message(ByteBuffer in, long tag) {
    require(tag, BYTES);
    long length = varint(in);
    if (length < 0 || length > in.remaining()) {
      throw damaged("at most %d bytes in a field".formatted(in.remaining()), "" + length);
    }
    ByteBuffer out = in.slice(in.position(), (int) length).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + (int) length);
    return out;
  }

  private void skip(ByteBuffer in, long tag) {
    switch ((int) (tag & 7)) {
      case VARINT -> varint(in);
      case FIXED64 -> need(in, 8).getLong();
      case BYTES -> message(in, tag);
      case FIXED32 -> need(in, 4).getInt();
      default -> throw damaged("a field of protobuf", "type " + (tag & 7));
    }
  }

  private long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte b = need(in, 1).get();
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw damaged("a number of at most 10 bytes", "more");
  }

  private ByteBuffer need(ByteBuffer in, int bytes) {
    if (in.remaining() < bytes) {
      throw damaged("%d more bytes".formatted(bytes), in.remaining() + ", as the file is cut off");
    }
    return in;
  }

  private void require(long tag, int wireType) {
    if ((tag & 7) != wireType) {
      throw damaged("field %d of type %d".formatted(tag >>> 3, wireType), "type " + (tag & 7));
    }
  }

  private ConversionException damaged(String expected, String found) {
    return ConversionException.at(
        file, "SentencePiece model", expected, found, "Download the file again.");
  }
}
