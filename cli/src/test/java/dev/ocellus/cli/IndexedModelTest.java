package dev.ocellus.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.nativelib.CacheDirectory;
import dev.ocellus.search.ImageIndex;
import dev.ocellus.search.IndexLocation;
import dev.ocellus.search.IndexUpdate;
import dev.ocellus.search.UpdateOptions;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.embedding.DualEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An index keeps what was given for its model, so that a search needs no cache to be as it was. */
class IndexedModelTest {
  private static final Path GOLDEN = Path.of("../tests/golden");
  private static final Path QWEN = GOLDEN.resolve("embedding/qwen3-vl-embedding/hf");
  private static final Path CHECKPOINT = GOLDEN.resolve("models/clip-openclip/hf");
  private static final String CLIP = "hf://org/clip";

  @TempDir static Path shared;
  private static TestHub hub;

  @TempDir Path directory;
  private Path folder;
  private Path cache;

  @BeforeAll
  static void start() throws IOException {
    Path text = shared.resolve("qwen.gguf");
    Cli made = Cli.run("convert", "-q", QWEN, "-o", text, "--outtype", "f32");
    assertThat(made.code()).as(made.err()).isZero();
    hub =
        TestHub.of(
            Map.of(
                "org/clip",
                Map.of("clip-F16.gguf", Files.readAllBytes(DemoModel.dualEncoder())),
                "org/checkpoint",
                files(CHECKPOINT),
                "org/qwen",
                Map.of(
                    "qwen-F32.gguf",
                    Files.readAllBytes(text),
                    "mmproj-qwen-F32.gguf",
                    Files.readAllBytes(shared.resolve("mmproj-qwen.gguf")))));
  }

  private static Map<String, byte[]> files(Path folder) throws IOException {
    Map<String, byte[]> files = new HashMap<>();
    try (Stream<Path> all = Files.list(folder)) {
      for (Path file : all.toList()) {
        files.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  @AfterAll
  static void stop() {
    hub.close();
  }

  @BeforeEach
  void copyImages() throws IOException {
    folder = Files.createDirectories(directory.resolve("images"));
    cache = directory.resolve("hub");
    Files.copy(GOLDEN.resolve("images/odd_97x61.png"), folder.resolve("odd.png"));
  }

  private Cli run(Object... arguments) {
    return hub.run(cache, arguments);
  }

  private Cli ok(Object... arguments) {
    Cli run = run(arguments);
    assertThat(run.code()).as(run.err()).isZero();
    return run;
  }

  private String source() throws IOException {
    try (ImageIndex index = ImageIndex.open(IndexLocation.inside(folder))) {
      return index.info().source();
    }
  }

  private static void delete(Path root) throws IOException {
    List<Path> all;
    try (Stream<Path> found = Files.walk(root)) {
      all = found.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : all) {
      Files.delete(file);
    }
  }

  private void assertFinds(Cli search) {
    assertThat(search.json().get("results")).hasSize(1);
  }

  @Test
  void aNameIsFetchedAgainOnlyWhereItsFilesAreGone() throws IOException {
    ok("index", folder, "-m", CLIP);
    assertThat(source()).isEqualTo(CLIP);
    int asked = hub.requests();
    assertFinds(ok("search", folder, "x", "--json"));
    ok("index", folder);
    assertThat(hub.requests()).isEqualTo(asked);
    assertThat(source()).isEqualTo(CLIP);
    delete(cache);
    Cli offline = run("search", folder, "x", "--offline");
    assertThat(offline.code()).isEqualTo(1);
    assertThat(offline.err()).contains("org/clip is not in " + cache, "nothing may be fetched");
    assertFinds(ok("search", folder, "x", "--json"));
    assertThat(hub.requests()).isGreaterThan(asked);
    Cli other = run("search", folder, "x", "-m", CHECKPOINT);
    assertThat(other.err()).contains("was made with another model, " + CLIP);
  }

  @Test
  void theImageEncoderOfANameComesWithIt() throws IOException {
    ok("index", folder, "-hf", "org/qwen", "--mmproj-type", "F32");
    assertThat(source()).isEqualTo("hf://org/qwen --mmproj-type F32");
    delete(cache);
    assertFinds(ok("search", folder, "x", "--json"));
    ok("index", folder);
    assertThat(source()).isEqualTo("hf://org/qwen --mmproj-type F32");
    Path own = Files.copy(shared.resolve("mmproj-qwen.gguf"), directory.resolve("own.gguf"));
    ok("index", folder, "-m", "hf://org/qwen", "--mmproj", own);
    assertThat(source()).isEqualTo("hf://org/qwen --mmproj " + own);
    delete(cache);
    assertFinds(ok("search", folder, "x", "--json"));
  }

  @Test
  void theFolderOfACheckpointIsConvertedAgain() throws IOException {
    Path checkpoint = directory.resolve("clip-of-" + directory.getFileName());
    Files.createDirectories(checkpoint);
    for (Map.Entry<String, byte[]> file : files(CHECKPOINT).entrySet()) {
      Files.write(checkpoint.resolve(file.getKey()), file.getValue());
    }
    ok("index", folder, "-m", checkpoint);
    assertThat(source()).isEqualTo(checkpoint.toString());
    deleteConverted(checkpoint);
    assertFinds(ok("search", folder, "x", "--json"));
    deleteConverted(checkpoint);
  }

  private static void deleteConverted(Path checkpoint) throws IOException {
    List<Path> converted;
    try (Stream<Path> all = Files.list(CacheDirectory.of("checkpoints"))) {
      converted =
          all.filter(Files::isDirectory)
              .filter(d -> d.getFileName().toString().contains(checkpoint.getFileName().toString()))
              .toList();
    }
    assertThat(converted).hasSize(1);
    delete(converted.getFirst());
  }

  @Test
  void aCheckpointIsFetchedAndConvertedAgain() throws IOException {
    String name = "hf://org/checkpoint";
    Cli wrong = run("embed", "-q", "-m", name, "--model-type", "none", "--text", "a");
    assertThat(wrong.code()).isEqualTo(1);
    assertThat(wrong.err())
        .contains("expected one that " + name + " (" + cache)
        .doesNotContain("text.gguf");
    ok("index", folder, "-m", name);
    assertThat(source()).isEqualTo(name);
    delete(cache);
    assertFinds(ok("search", folder, "x", "--json"));
  }

  /** As versions before kept it: files in a cache, whose place is all that is known. */
  @Test
  void filesInACacheAreFoundAsLongAsTheyAreThere() throws IOException {
    Path kept = Files.createDirectories(cache).resolve("text.gguf");
    Files.copy(DemoModel.dualEncoder(), kept);
    try (DualEncoder encoder = DualEncoder.open(kept)) {
      IndexUpdate.run(
          IndexLocation.inside(folder),
          encoder,
          kept.toString(),
          UpdateOptions.defaults(),
          (done, total) -> true);
    }
    assertFinds(ok("search", folder, "x", "--json"));
    Files.delete(kept);
    Cli gone = run("search", folder, "x");
    assertThat(gone.code()).isEqualTo(1);
    assertThat(gone.err()).contains("is not there any more; say where it is with -m");
  }
}
