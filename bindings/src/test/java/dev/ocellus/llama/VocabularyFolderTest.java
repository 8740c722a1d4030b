package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.OcellusException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/**
 * The vocabularies that llama.cpp tests its own tokenizers with: {@code ggml-vocab-*.gguf} with
 * {@code .inp} and {@code .out} beside them. They are too large to be kept here; give their folder,
 * {@code models} of a llama.cpp checkout, as {@code -Docellus.vocabularies}.
 */
class VocabularyFolderTest {
  /** Those of models whose architecture this release does not know. */
  private static final Set<String> REFUSED = Set.of("ggml-vocab-bert-bge.gguf");

  private static final String SEPARATOR = "\n__ggml_vocab_test__\n";

  @Test
  void tokensAreThoseOfTheFolder() throws IOException {
    String folder = System.getProperty("ocellus.vocabularies", "");
    Assumptions.assumeFalse(
        folder.isEmpty(),
        "no -Docellus.vocabularies=FOLDER: VocabTest has the small vocabulary only");
    List<Path> files = vocabularies(Path.of(folder));
    Set<String> refused = new TreeSet<>();
    for (Path file : files) {
      if (!compare(file)) {
        refused.add(file.getFileName().toString());
      }
    }
    assertThat(files).isNotEmpty();
    assertThat(refused).isEqualTo(REFUSED);
  }

  private static List<Path> vocabularies(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> f.toString().endsWith(".gguf") && Files.exists(Path.of(f + ".inp")))
          .sorted()
          .toList();
    }
  }

  private static boolean compare(Path file) throws IOException {
    String[] texts = Files.readString(Path.of(file + ".inp")).split(SEPARATOR, -1);
    List<String> lines = Files.readAllLines(Path.of(file + ".out"));
    try (LlamaModel model = LlamaModel.loadVocabulary(file)) {
      for (int i = 0; i < lines.size(); i++) {
        int[] expected =
            Arrays.stream(lines.get(i).strip().split(" +"))
                .filter(id -> !id.isEmpty())
                .mapToInt(Integer::parseInt)
                .toArray();
        assertThat(model.vocab().tokenize(texts[i], false))
            .as("%s: %s", file.getFileName(), texts[i])
            .containsExactly(expected);
      }
      return true;
    } catch (OcellusException e) {
      System.out.println("VocabularyFolderTest: refused: " + e.getMessage());
      return false;
    }
  }
}
