package dev.ocellus.tests.fuzz;

import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Batch;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.LlamaContext;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.llama.Vocab;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Loads a text model, says something in its vocabulary, and lets it compute some tokens. */
final class TextTarget implements Target {
  private static final List<String> TEXTS =
      List.of(
          "Hello world",
          "the thing on the hen",
          "  \n\n\t ",
          "ÄÖÜ ▁ 中文 😀 e\u0301",
          "<|im_start|>user",
          "\0\u0001\u007f",
          "12345.678",
          "a".repeat(3000),
          " ".repeat(500),
          "<0x41></s>[EMPTY_3]");

  private static final List<TensorType> CACHES =
      List.of(TensorType.F16, TensorType.F32, TensorType.BF16, TensorType.Q8_0, TensorType.Q4_0);

  @Override
  public String name() {
    return "text";
  }

  @Override
  public boolean isGguf() {
    return true;
  }

  @Override
  public boolean takes(Path file) {
    if (!file.toString().endsWith(".gguf")) {
      return false;
    }
    try (GgufFile gguf = GgufFile.open(file)) {
      return !gguf.metadata().string("general.architecture").equals("clip");
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    RandomGenerator random = new SplittableRandom(seed);
    ModelOptions options = new ModelOptions(-1, random.nextBoolean(), random.nextBoolean(), null);
    try (LlamaModel model = LlamaModel.load(file, options)) {
      model.description();
      use(model.vocab());
      try (LlamaContext context = model.newContext(contextOptions(random))) {
        decodeTokens(model, context, random);
        decodeEmbeddings(model, context, random);
      } catch (IllegalArgumentException e) {
        throw new RefusedOptionException(e);
      }
    }
  }

  private static ContextOptions contextOptions(RandomGenerator random) {
    TensorType cache = random.nextInt(3) == 0 ? EdgeValues.one(CACHES, random) : TensorType.F16;
    var flash = ContextOptions.FlashAttention.values();
    ContextOptions options =
        ContextOptions.defaults()
            .withContext(random.nextInt(8) == 0 ? 0 : random.nextInt(1, 600))
            .withBatch(64, random.nextInt(1, 65))
            .withThreads(1, 1)
            .withOutputs(4)
            .withCache(cache, cache)
            .withFlashAttention(flash[random.nextInt(flash.length)]);
    // a file may ask for a context that would fill the memory of this machine
    return options.nCtx() == 0 && random.nextBoolean() ? options.withContext(256) : options;
  }

  private static void use(Vocab vocab) {
    for (String text : TEXTS) {
      vocab.tokenize(text, false);
      vocab.tokenize(text, true);
    }
    vocab.addsBos();
    for (int i = 0; i < Math.min(vocab.nTokens(), 2000); i++) {
      vocab.piece(i, true);
      vocab.piece(i, false);
      vocab.text(i);
      vocab.isControl(i);
      vocab.isEndOfGeneration(i);
    }
  }

  private static void decodeTokens(LlamaModel model, LlamaContext context, RandomGenerator random) {
    CancellationFlag flag = new CancellationFlag();
    int nVocab = model.vocab().nTokens();
    float[] logits = new float[nVocab];
    int position = 0;
    try (Batch batch = Batch.ofTokens(64)) {
      int n = Math.min(context.nBatch(), random.nextInt(1, 40));
      for (; position < n; position++) {
        batch.add(random.nextInt(nVocab), position, 0, position == n - 1);
      }
      context.decode(batch, flag);
      context.logits(n - 1, logits);
      for (int i = 0; i < 3; i++) {
        batch.clear();
        batch.add(random.nextInt(nVocab), position++, 0, true);
        context.decode(batch, flag);
        context.logits(0, logits);
      }
    }
    if (random.nextBoolean()) {
      context.removeFrom(0, random.nextInt(position));
      context.clear();
    }
  }

  private static void decodeEmbeddings(
      LlamaModel model, LlamaContext context, RandomGenerator random) {
    int width = model.nEmbdInput();
    context.clear();
    int n = Math.min(context.nUbatch(), 5);
    try (Batch batch = Batch.ofEmbeddings(n, width, model.nPositions())) {
      float[] rows = new float[n * width];
      for (int i = 0; i < rows.length; i++) {
        rows[i] = random.nextInt(50) == 0 ? EdgeValues.real(random) : (float) random.nextGaussian();
      }
      for (int i = 0; i < n; i++) {
        int[] position = new int[model.nPositions()];
        position[0] = i;
        batch.add(rows, i, position, 0, i == n - 1);
      }
      context.setCausal(random.nextBoolean());
      context.decode(batch, new CancellationFlag());
      context.logits(n - 1, new float[model.vocab().nTokens()]);
    }
  }
}
