package dev.ocellus.springai.autoconfigure;

import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.springai.OcellusChatOptions;
import dev.ocellus.vlm.options.LoadOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * The model that chats, and what counts for prompts that say nothing else.
 *
 * @param model GGUF file of the text model; or a name, {@code hf://org/repo:Q4_K_M} or {@code
 *     ollama:name}; or {@code demo} for the tiny embedded one
 * @param mmproj GGUF file of the image encoder; named models bring theirs
 * @param name what responses call the model
 * @param contextSize tokens of a conversation at most
 * @param parallel conversations that are answered at the same time
 * @param threads threads of the CPU
 * @param gpuLayers layers that a graphics processor computes
 * @param visionPrecision how images are encoded
 * @param temperature 0 for the likeliest token
 * @param topP as Spring AI's
 * @param topK as Spring AI's
 * @param minP as of {@link OcellusChatOptions#getMinP}
 * @param maxTokens most tokens of an answer
 * @param stop texts at which an answer ends
 * @param seed of the random numbers
 * @param thinking whether the model thinks aloud, for templates that know it
 * @param frequencyPenalty as Spring AI's
 * @param presencePenalty as Spring AI's
 * @param repeatPenalty as of {@link OcellusChatOptions#getRepeatPenalty}
 */
@ConfigurationProperties("ocellus.chat")
public record OcellusChatProperties(
    @Nullable String model,
    @Nullable String mmproj,
    @Nullable String name,
    @Nullable Integer contextSize,
    @Nullable Integer parallel,
    @Nullable Integer threads,
    @Nullable Integer gpuLayers,
    @Nullable MatrixPrecision visionPrecision,
    @Nullable Double temperature,
    @Nullable Double topP,
    @Nullable Integer topK,
    @Nullable Double minP,
    @Nullable Integer maxTokens,
    @Nullable List<String> stop,
    @Nullable Long seed,
    @Nullable Boolean thinking,
    @Nullable Double frequencyPenalty,
    @Nullable Double presencePenalty,
    @Nullable Double repeatPenalty) {

  /** Files with the options of loading that were given. */
  LoadOptions configured(LoadOptions files) {
    LoadOptions options = files.withContextOptions(configured(files.contextOptions()));
    if (parallel != null) {
      options = options.withSessions(options.sessions().withParallel(parallel));
    }
    if (gpuLayers != null) {
      options = options.withModelOptions(options.modelOptions().withGpuLayers(gpuLayers));
    }
    return visionPrecision == null ? options : options.withVisionPrecision(visionPrecision);
  }

  private ContextOptions configured(ContextOptions context) {
    ContextOptions options = contextSize == null ? context : context.withContext(contextSize);
    return threads == null ? options : options.withThreads(threads, threads);
  }

  /** What counts for prompts. */
  OcellusChatOptions toOptions() {
    return OcellusChatOptions.builder()
        .model(name)
        .temperature(temperature)
        .topP(topP)
        .topK(topK)
        .minP(minP)
        .maxTokens(maxTokens)
        .stopSequences(stop)
        .seed(seed)
        .thinking(thinking)
        .frequencyPenalty(frequencyPenalty)
        .presencePenalty(presencePenalty)
        .repeatPenalty(repeatPenalty)
        .build();
  }
}
