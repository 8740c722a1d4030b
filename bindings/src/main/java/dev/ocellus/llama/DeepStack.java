package dev.ocellus.llama;

import dev.ocellus.compute.GgmlException;
import dev.ocellus.ggml.NativeStack;
import java.util.function.Supplier;

/** Runs native code that calls itself once per character where it has the stack for it. */
final class DeepStack {
  /** Up to here the stack of any thread will do. */
  static final int SHALLOW = 200;

  /** A text of this many characters asks for 1 GiB of address space. */
  static final int DEEPEST = 1 << 20;

  /**
   * Bytes for each character. {@code std::regex} of libstdc++ was seen to take up to about 700 with
   * the expressions of libllama.
   */
  private static final long BYTES_PER_CHARACTER = 1024;

  private static final long RESERVE = 1 << 20;

  private DeepStack() {}

  /**
   * Calls on a thread of its own whose stack suffices for {@code characters}. Pages of it that are
   * not touched take no memory.
   *
   * @throws LlamaException if the text is too long for any stack
   */
  static <T> T call(int characters, Supplier<T> call) {
    if (characters <= SHALLOW) {
      return NativeStack.call((int) (SHALLOW * BYTES_PER_CHARACTER), call);
    }
    if (characters > DEEPEST) {
      throw new LlamaException(
          "A text of %d characters is too long for the tokenizer of this model, which takes %d at once. Give it in parts."
              .formatted(characters, DEEPEST));
    }
    try {
      return NativeStack.callOnOwnThread(RESERVE + characters * BYTES_PER_CHARACTER, call);
    } catch (GgmlException e) { // no address space for the stack
      throw new LlamaException(
          "No stack for tokenizing %d characters can be had. Give the text in parts."
              .formatted(characters));
    }
  }
}
