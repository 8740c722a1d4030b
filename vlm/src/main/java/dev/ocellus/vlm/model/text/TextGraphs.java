package dev.ocellus.vlm.model.text;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.LlamaException;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.decode.CrossTextDecoder;
import dev.ocellus.vlm.decode.EncoderDecoder;
import dev.ocellus.vlm.decode.GraphDecoder;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.graph.GraphRunner;
import dev.ocellus.vlm.graph.RunnerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The text models that graphs of ours compute, since libllama has none, none of use here, or one
 * that differs from the reference.
 */
public final class TextGraphs {
  /**
   * Graphs that are kept: of prompts, of their parts, and of tokens with few and with more keys.
   */
  private static final int MAX_PLANS = 6;

  /** Makes a decoder of a runner whose weights are not loaded yet. */
  private interface Factory {
    TextDecoder create(GraphRunner runner, LlamaModel tokenizer);
  }

  private static final Map<String, Factory> DECODERS =
      Map.of(
          BartGraph.ARCHITECTURE,
          (runner, tokenizer) ->
              new EncoderDecoder(
                  runner, new BartGraph(runner.file().metadata(), runner.weights()), tokenizer),
          HunyuanVlGraph.ARCHITECTURE,
          (runner, tokenizer) ->
              new GraphDecoder(
                  runner,
                  new HunyuanVlGraph(runner.file().metadata(), runner.weights()),
                  tokenizer),
          Llama4Graph.ARCHITECTURE,
          (runner, tokenizer) ->
              new GraphDecoder(runner, new Llama4Graph(runner.file(), runner.weights()), tokenizer),
          MllamaGraph.ARCHITECTURE,
          (runner, tokenizer) ->
              new CrossTextDecoder(
                  runner, new MllamaGraph(runner.file().metadata(), runner.weights()), tokenizer),
          OptGraph.ARCHITECTURE,
          (runner, tokenizer) ->
              new GraphDecoder(
                  runner, new OptGraph(runner.file().metadata(), runner.weights()), tokenizer),
          T5Graph.ARCHITECTURE,
          (runner, tokenizer) ->
              new EncoderDecoder(
                  runner, new T5Graph(runner.file().metadata(), runner.weights()), tokenizer));

  private TextGraphs() {}

  /** Whether a text model is one of them, and not libllama's. */
  public static boolean isOne(GgufFile file) {
    String architecture = architecture(file);
    return DECODERS.containsKey(architecture)
        && (!architecture.equals(Llama4Graph.ARCHITECTURE) || Llama4Graph.isOwn(file.metadata()));
  }

  private static String architecture(GgufFile file) {
    return file.metadata().string("general.architecture", "");
  }

  /**
   * Loads a text model that {@link #isOne}.
   *
   * @param options how it is computed; more graphs may be kept
   * @throws IOException if the file cannot be read
   * @throws dev.ocellus.OcellusException if it is damaged or of another architecture
   */
  public static TextDecoder open(Path file, RunnerOptions options) throws IOException {
    GraphRunner runner = GraphRunner.open(file, options.withMaxPlans(MAX_PLANS));
    try {
      Factory factory = DECODERS.get(architecture(runner.file()));
      if (factory == null) {
        throw new IllegalArgumentException(file + " is a text model for libllama");
      }
      return open(runner, factory, LlamaModel.loadTokenizer(file));
    } catch (Throwable e) {
      runner.close();
      throw e;
    }
  }

  private static TextDecoder open(GraphRunner runner, Factory factory, LlamaModel tokenizer) {
    try {
      TextDecoder decoder = factory.create(runner, tokenizer);
      requireVocabulary(decoder, runner, tokenizer);
      runner.load();
      return decoder;
    } catch (Throwable e) {
      tokenizer.close();
      throw e;
    }
  }

  /** A logit for each token, and a token for each: prompts look up what the tokenizer gives. */
  private static void requireVocabulary(
      TextDecoder decoder, GraphRunner runner, LlamaModel tokenizer) {
    long rows = runner.weights().shape("token_embd.weight")[1];
    int nTokens = tokenizer.vocab().nTokens();
    if (rows != nTokens) {
      throw new LlamaException(
          "%s: tokens: expected %d, as token_embd.weight has rows (%s), found %d. The file is damaged or was converted wrongly."
              .formatted(runner.file().path(), rows, decoder.description(), nTokens));
    }
  }
}
