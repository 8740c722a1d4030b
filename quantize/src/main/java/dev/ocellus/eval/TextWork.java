package dev.ocellus.eval;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import java.io.IOException;
import java.nio.file.Path;

/**
 * What a text model has to do at least, without attention and the cache.
 *
 * @param operationsPerToken multiplications and additions for a token of a prompt
 * @param bytesPerToken weights that are read for a token alone
 */
public record TextWork(double operationsPerToken, double bytesPerToken) {
  private static final String EMBEDDINGS = "token_embd.weight";
  private static final String OUTPUT = "output.weight";

  /**
   * Of a GGUF file. Mixtures of experts read and compute less than this.
   *
   * @throws IOException if the file cannot be read
   */
  public static TextWork of(Path model) throws IOException {
    try (GgufFile file = GgufFile.open(model)) {
      boolean tied = file.findTensor(OUTPUT).isEmpty();
      double operations = 0;
      double bytes = 0;
      for (GgufTensor tensor : file.tensors()) {
        boolean looked = tensor.name().equals(EMBEDDINGS); // a row for each token
        boolean output = tensor.name().equals(OUTPUT); // for the last token of a prompt alone
        operations += looked || output ? 0 : 2.0 * tensor.nElements();
        bytes += looked && !tied ? 0 : tensor.byteSize();
      }
      return new TextWork(operations, bytes);
    }
  }
}
