package dev.ocellus.tests.reference;

import dev.ocellus.vlm.generation.ComputeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The part of docs/fidelity.md about models that make images. */
final class GenerationFidelity {
  private GenerationFidelity() {}

  static String section(List<Reference> references) throws IOException {
    var text =
        new StringBuilder(
            """

            ## Images that are made

            Converted by `ocellus convert`. *Codes* are those of the image or, with greedy choice, of the text, or the nearest colours; *latents* (before they are quantized), *pixels* (of the decoder, -1 to 1) and *logits* are largest errors; *levels* is the largest difference of a byte of the image; *nats* the error of the log-likelihood; *completion* the colours that are drawn behind the first half.

            | model | case | codes | latents | pixels | levels | logits | nats | completion |
            |---|---|---|---|---|---|---|---|---|
            """);
    Path folder = Files.createTempDirectory("ocellus-fidelity");
    Set<String> done = new HashSet<>();
    for (Reference reference : references) {
      for (GenerationReference model : GenerationReference.in(reference)) {
        if (!done.add(model.model())) {
          continue; // in a directory before
        }
        Path file = GenerationRow.converted(model, folder);
        for (GenerationReference.Case c : model.cases()) {
          text.append(GenerationRow.of(model, c, file, ComputeOptions.cpu(1)).markdown());
        }
      }
    }
    return text.toString();
  }
}
