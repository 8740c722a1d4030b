package dev.ocellus.springai.autoconfigure;

import dev.ocellus.vlm.embedding.EmbeddingOptions;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;

/**
 * The dual encoder that gives texts and images vectors.
 *
 * @param model its GGUF file; or a name, {@code hf://org/repo}; or {@code demo} for the tiny
 *     embedded one
 * @param name what responses call it
 * @param threads threads of the CPU
 */
@ConfigurationProperties("ocellus.embedding")
public record OcellusEmbeddingProperties(
    @Nullable String model, @Nullable String name, @Nullable Integer threads) {

  EmbeddingOptions toOptions() {
    EmbeddingOptions defaults = EmbeddingOptions.defaults();
    return threads == null
        ? defaults
        : new EmbeddingOptions(
            threads, defaults.useGpu(), defaults.precision(), defaults.accelerator());
  }
}
