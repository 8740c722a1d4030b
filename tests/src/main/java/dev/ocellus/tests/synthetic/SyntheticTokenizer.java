package dev.ocellus.tests.synthetic;

import dev.ocellus.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.List;

/**
 * A byte-level BPE vocabulary of any size in the style of GPT-2: the 256 bytes, an empty line,
 * words of two and three letters with the merges that make them, and the special tokens of ChatML
 * and of SmolVLM's tiles at the end.
 */
final class SyntheticTokenizer {
  private static final int NORMAL = 1;
  private static final int CONTROL = 3;
  private static final List<String> SPECIAL =
      List.of(
          "<|endoftext|>",
          "<fake_token_around_image>",
          "<global-img>",
          "<|im_start|>",
          "<|im_end|>");
  private static final String NEWLINE = "\u010a"; // as GPT-2 writes it
  private static final String CHATML =
      "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
          + "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

  private final List<String> tokens = new ArrayList<>();
  private final List<String> merges = new ArrayList<>();

  /**
   * @param size tokens in all: at least 261, at most about 250,000
   */
  SyntheticTokenizer(int size) {
    int ordinary = size - SPECIAL.size();
    addBytes();
    merge(NEWLINE, NEWLINE, ordinary);
    List<String> letters = letters();
    List<String> pairs = new ArrayList<>();
    for (String a : letters) {
      for (String b : letters) {
        pairs.add(a + b);
        merge(a, b, ordinary);
      }
    }
    for (String pair : pairs) {
      for (String c : letters) {
        merge(pair, c, ordinary);
      }
    }
    if (tokens.size() != ordinary) {
      throw new IllegalArgumentException(
          "vocabulary: expected %d to %d tokens, found %d"
              .formatted(256 + SPECIAL.size(), tokens.size() + SPECIAL.size(), size));
    }
    tokens.addAll(SPECIAL);
  }

  private void merge(String left, String right, int limit) {
    if (tokens.size() < limit) {
      tokens.add(left + right);
      merges.add(left + " " + right);
    }
  }

  /** GPT-2 writes printable bytes as themselves and the others as letters from U+0100 on. */
  private void addBytes() {
    int next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      tokens.add(Character.toString(printable ? b : next++));
    }
  }

  private static List<String> letters() {
    List<String> letters = new ArrayList<>();
    letters.add("\u0120"); // a space
    for (String range : List.of("az", "AZ", "09")) {
      for (char c = range.charAt(0); c <= range.charAt(1); c++) {
        letters.add(Character.toString(c));
      }
    }
    return letters;
  }

  void addTo(GgufWriter writer) {
    int eos = tokens.size() - 1; // <|im_end|>
    int endOfText = tokens.indexOf(SPECIAL.getFirst());
    int[] types = new int[tokens.size()];
    for (int i = 0; i < types.length; i++) {
      types[i] = i < endOfText ? NORMAL : CONTROL;
    }
    writer
        .string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", "qwen2")
        .strings("tokenizer.ggml.tokens", tokens)
        .ints("tokenizer.ggml.token_type", types)
        .strings("tokenizer.ggml.merges", merges)
        .u32("tokenizer.ggml.bos_token_id", endOfText)
        .u32("tokenizer.ggml.eos_token_id", eos)
        .u32("tokenizer.ggml.padding_token_id", endOfText)
        .bool("tokenizer.ggml.add_bos_token", false)
        .string("tokenizer.chat_template", CHATML);
  }
}
