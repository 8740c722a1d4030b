package dev.ocellus.tests.bench;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.llama_batch;
import dev.ocellus.ffi.llama_context_params;
import dev.ocellus.ffi.llama_model_params;
import dev.ocellus.ffi.llama_token_data;
import dev.ocellus.ffi.llama_token_data_array;
import dev.ocellus.ggml.Ggml;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.tests.synthetic.SyntheticModels;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * llama.cpp's own samplers at work on logits of our choice: what ours are compared with. They read
 * logits from a context only, so there is a model with the vocabulary of Qwen2 and next to no
 * layers, whose logits are overwritten.
 */
final class WideModel implements AutoCloseable {
  private final Arena arena = Arena.ofConfined();
  private final Path file;
  private final MemorySegment model;
  private final MemorySegment context;
  private final MemorySegment vocab;
  private final MemorySegment oneToken;
  private final MemorySegment oneCandidate;

  /**
   * @param nRows how many rows of logits there are to {@link #put}
   */
  WideModel(int nRows) {
    file = write();
    Ggml.initialize();
    MemorySegment modelParams = ggml_h.llama_model_default_params(arena);
    llama_model_params.n_gpu_layers(modelParams, 0);
    model = ggml_h.llama_model_load_from_file(arena.allocateFrom(file.toString()), modelParams);
    MemorySegment params = ggml_h.llama_context_default_params(arena);
    llama_context_params.n_ctx(params, nRows);
    llama_context_params.n_batch(params, nRows);
    context = ggml_h.llama_init_from_model(model, params);
    vocab = ggml_h.llama_model_get_vocab(model);
    MemorySegment batch = ggml_h.llama_batch_init(arena, nRows, 0, 1);
    llama_batch.n_tokens(batch, nRows);
    for (int i = 0; i < nRows; i++) {
      llama_batch.token(batch).setAtIndex(ValueLayout.JAVA_INT, i, 0);
      llama_batch.pos(batch).setAtIndex(ValueLayout.JAVA_INT, i, i);
      llama_batch.n_seq_id(batch).setAtIndex(ValueLayout.JAVA_INT, i, 1);
      llama_batch
          .seq_id(batch)
          .getAtIndex(ValueLayout.ADDRESS, i)
          .reinterpret(4)
          .set(ValueLayout.JAVA_INT, 0, 0);
      llama_batch.logits(batch).set(ValueLayout.JAVA_BYTE, i, (byte) 1);
    }
    int result = ggml_h.llama_decode(context, batch);
    ggml_h.llama_batch_free(batch);
    if (result != 0) {
      throw new IllegalStateException("llama_decode: " + result);
    }
    oneToken = arena.allocate(llama_token_data.layout());
    oneCandidate = arena.allocate(llama_token_data_array.layout());
  }

  private static Path write() {
    try {
      Path file = Files.createTempFile("ocellus-wide", ".gguf");
      SyntheticModels.writeText("wide", TensorType.Q8_0, 1, file);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file of the model. */
  Path file() {
    return file;
  }

  /** Overwrites a row of logits. */
  void put(int row, FloatBuffer logits) {
    MemorySegment target = ggml_h.llama_get_logits_ith(context, row);
    MemorySegment source = MemorySegment.ofBuffer(logits);
    target.reinterpret(source.byteSize()).copyFrom(source);
  }

  /** A chain with llama.cpp's defaults, behind a grammar if there is one. */
  MemorySegment chain(MemorySegment grammar) {
    MemorySegment chain =
        ggml_h.llama_sampler_chain_init(ggml_h.llama_sampler_chain_default_params(arena));
    if (grammar.address() != 0) {
      ggml_h.llama_sampler_chain_add(chain, grammar);
    }
    ggml_h.llama_sampler_chain_add(chain, ggml_h.llama_sampler_init_top_k(40));
    ggml_h.llama_sampler_chain_add(chain, ggml_h.llama_sampler_init_top_p(0.95f, 1));
    ggml_h.llama_sampler_chain_add(chain, ggml_h.llama_sampler_init_min_p(0.05f, 1));
    ggml_h.llama_sampler_chain_add(chain, ggml_h.llama_sampler_init_temp(0.8f));
    ggml_h.llama_sampler_chain_add(chain, ggml_h.llama_sampler_init_dist(1));
    return chain;
  }

  MemorySegment grammar(String gbnf) {
    return ggml_h.llama_sampler_init_grammar(
        vocab, arena.allocateFrom(gbnf), arena.allocateFrom("root"));
  }

  /** Chooses a token by a row of logits and accepts it. */
  int sample(MemorySegment chain, int row) {
    return ggml_h.llama_sampler_sample(chain, context, row);
  }

  /** Whether a grammar allows a token, which llama.cpp asks first. */
  boolean allows(MemorySegment grammar, int token) {
    llama_token_data.id(oneToken, token);
    llama_token_data.logit(oneToken, 1);
    llama_token_data_array.data(oneCandidate, oneToken);
    llama_token_data_array.size(oneCandidate, 1);
    llama_token_data_array.selected(oneCandidate, -1);
    ggml_h.llama_sampler_apply(grammar, oneCandidate);
    return llama_token_data.logit(oneToken) != Float.NEGATIVE_INFINITY;
  }

  @Override
  public void close() throws IOException {
    ggml_h.llama_free(context);
    ggml_h.llama_model_free(model);
    arena.close();
    Files.deleteIfExists(file);
  }
}
