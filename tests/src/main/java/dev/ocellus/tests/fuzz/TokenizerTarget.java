package dev.ocellus.tests.fuzz;

import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.tokenizer.TokenizerConverter;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.llama.LlamaModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/** Converts a tokenizer.json, and tokenizes with what it became. */
final class TokenizerTarget implements Target {
  private static final String SUFFIX = ".tokenizer.json";
  private static final int N_VOCAB = 300;
  private static final String CONFIG =
      "{\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\", \"vocab_size\": 300}";

  @Override
  public String name() {
    return "tokenizer";
  }

  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    return file.toString().endsWith(SUFFIX) || file.endsWith("tokenizer.json");
  }

  @Override
  public List<Path> bases(Path work) throws IOException {
    Path packed = work.resolve("tokenizer-of" + ConvertTarget.SUFFIX);
    byte[] json =
        ConvertTarget.unpack(dev.ocellus.tests.TinyCheckpoint.write(packed, "llava"))
            .get("tokenizer.json");
    return List.of(Files.write(work.resolve("bpe" + SUFFIX), json));
  }

  @Override
  public boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    if (random.nextInt(4) == 0) {
      return false;
    }
    Files.write(to, JsonMutator.mutate(Files.readAllBytes(base), random));
    return true;
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    Path folder = Files.createTempDirectory("ocellus-tokenizer");
    Path out = folder.resolve("vocabulary.gguf");
    try {
      Files.writeString(folder.resolve("config.json"), CONFIG);
      Files.write(folder.resolve("tokenizer.json"), data);
      var writer = new GgufWriter().string("general.architecture", "llama");
      try (HfFolder checkpoint = HfFolder.openConfiguration(folder)) {
        new TokenizerConverter(checkpoint, N_VOCAB, (seed & 1) == 0 ? "llama-bpe" : null)
            .write(writer);
      }
      writer.write(out);
      try (GgufFile gguf = GgufFile.open(out)) {
        gguf.requireReadableByGgml();
      }
      try (LlamaModel model = LlamaModel.loadVocabulary(out)) {
        VocabularyTarget.check(
            model.vocab(),
            "the hen <s> </s> é\u0000 "
                + new String(data, 0, Math.min(40, data.length), StandardCharsets.ISO_8859_1));
      }
    } finally {
      for (String name : List.of("config.json", "tokenizer.json", "vocabulary.gguf")) {
        Files.deleteIfExists(folder.resolve(name));
      }
      Files.delete(folder);
    }
  }
}
