package dev.ocellus.llama;

import dev.ocellus.ffi.ggml_h;
import dev.ocellus.ffi.llama_context_params;
import dev.ocellus.ggml.Accel;
import dev.ocellus.ggml.NativeLog;
import dev.ocellus.ggml.NodeCallback;
import dev.ocellus.ggml.StoredWeights;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** Makes libllama's side of a {@link LlamaContext}. */
final class NewContext {
  private NewContext() {}

  /**
   * A context of libllama, which the caller frees.
   *
   * @param options that {@link ContextGuard} has checked
   * @param unified whether all sequences share one cache
   * @param callback told of each node that is computed; null for nobody
   * @throws LlamaException if libllama cannot make it
   */
  static MemorySegment make(
      LlamaModel model, ContextOptions options, boolean unified, @Nullable NodeCallback callback) {
    Accel accel = model.accel();
    if (accel != null) {
      accel.register();
    }
    try (Arena scratch = Arena.ofShared()) {
      MemorySegment params = ggml_h.llama_context_default_params(scratch);
      set(params, model, options);
      llama_context_params.kv_unified(params, unified);
      if (callback != null) {
        llama_context_params.cb_eval(params, callback.stub());
      }
      var made =
          NativeLog.observeOnOwnThread(() ->
              Accel.wanting(
                  accel,
                  () ->
                      StoredWeights.resolving(
                          model.storedWeights(),
                          () -> ggml_h.llama_init_from_model(model.handle(), params))));
      if (made.result().address() == 0) {
        throw new LlamaException(
            "No context of %d tokens can be made for %s%s"
                .formatted(ContextGuard.nCtx(model, options), model.path(), made.because()));
      }
      return made.result();
    }
  }

  private static void set(MemorySegment params, LlamaModel model, ContextOptions options) {
    int nCtx = ContextGuard.nCtx(model, options);
    int nBatch = Math.min(options.nBatch(), nCtx);
    llama_context_params.n_ctx(params, nCtx);
    llama_context_params.n_batch(params, nBatch);
    llama_context_params.n_ubatch(params, Math.min(options.microBatch(), nBatch));
    llama_context_params.n_seq_max(params, options.nSeqAll());
    llama_context_params.n_outputs_max(params, ContextGuard.nOutputs(options));
    llama_context_params.n_threads(params, options.nThreads());
    llama_context_params.n_threads_batch(params, options.nThreadsBatch());
    llama_context_params.type_k(params, options.typeK().id());
    llama_context_params.type_v(params, options.typeV().id());
    llama_context_params.flash_attn_type(params, options.flashAttention().value());
    llama_context_params.offload_kqv(params, model.nGpuLayers() != 0);
    llama_context_params.yarn_beta_fast(params, model.sizes().yarn().fast());
    llama_context_params.yarn_beta_slow(params, model.sizes().yarn().slow());
    llama_context_params.no_perf(params, true);
  }
}
