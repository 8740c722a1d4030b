package dev.ocellus.convert.tokenizer;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.gguf.GgufWriter;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The vocabulary of Qwen's first generation, and of Qwen-VL: ranks of tiktoken, then control
 * tokens, which are in no file. Between those of chats and those of images stand as many {@code
 * <|extra_N|>} as {@code image_start_id} leaves room for: 205 in the published models.
 *
 * <p>Tokens of boxes and references can be written by users and are part of answers, as in the
 * reference; llama.cpp's converter makes control tokens of them, which no answer shows.
 *
 * <p>Source: <a
 * href="https://huggingface.co/Qwen/Qwen-VL-Chat/blob/main/tokenization_qwen.py">tokenization_qwen.py</a>.
 */
final class QwenVocabulary {
  static final String FILE = "qwen.tiktoken";

  private static final List<String> CHAT = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");
  private static final List<String> GROUNDING =
      List.of("<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>");
  private static final List<String> IMAGE = List.of("<img>", "</img>", "<imgpad>");
  private static final int USUAL_EXTRAS = 205;
  private static final String PRE = "qwen2"; // the same expression

  private final HfFolder folder;
  private final int nVocab;
  private final int imageStart;

  QwenVocabulary(HfFolder folder, int nVocab, int imageStart) {
    this.folder = folder;
    this.nVocab = nVocab;
    this.imageStart = imageStart;
  }

  void write(GgufWriter out, @Nullable String forcedPre) throws IOException {
    Path file = folder.file(FILE);
    TiktokenVocabulary ranks = TiktokenVocabulary.read(file, nVocab);
    Vocabulary vocabulary = new Vocabulary(nVocab);
    ranks.addTo(vocabulary);
    List<String> added = added(ranks.size());
    if (ranks.size() + added.size() > nVocab) {
      throw folder
          .config()
          .invalid("vocab_size", ranks.size() + added.size() + " or more", "" + nVocab);
    }
    for (int i = 0; i < added.size(); i++) {
      TokenKind kind =
          GROUNDING.contains(added.get(i)) ? TokenKind.USER_DEFINED : TokenKind.CONTROL;
      vocabulary.set(ranks.size() + i, added.get(i), 0, kind);
    }
    vocabulary.write(out, "gpt2", forcedPre != null ? forcedPre : PRE, false);
    out.strings("tokenizer.ggml.merges", ranks.merges());
    SpecialTokens special = SpecialTokens.of(folder, null, nVocab);
    for (String role : new String[] {"bos", "eos", "unk", "pad"}) {
      special.setIfAbsent(role, ranks.size()); // <|endoftext|>
    }
    special.write(out);
  }

  private List<String> added(int nRanks) {
    List<String> added = new ArrayList<>(CHAT);
    boolean images = imageStart != TokenizerConverter.NO_IMAGES;
    int extras = images ? imageStart - GROUNDING.size() - CHAT.size() - nRanks : USUAL_EXTRAS;
    if (extras < 0 || extras > nVocab) {
      throw new ConversionException(
          "%s: image_start_id is %d, but %d tokens of %s and 9 others stand before it. Configuration and tokenizer are not of one checkpoint."
              .formatted(folder.config().file(), imageStart, nRanks, FILE));
    }
    for (int i = 0; i < extras; i++) {
      added.add("<|extra_" + i + "|>");
    }
    if (images) {
      added.addAll(GROUNDING);
      added.addAll(IMAGE);
    }
    return added;
  }

  /** The prompts of the published code, which no file holds as a template. */
  static void writeTemplate(GgufWriter out, boolean raw) throws IOException {
    String name = raw ? "qwen-vl.jinja" : "qwen-vl-chat.jinja";
    try (InputStream in =
        Objects.requireNonNull(QwenVocabulary.class.getResourceAsStream(name), name)) {
      String template = new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
      out.string("tokenizer.chat_template", template);
    }
  }
}
