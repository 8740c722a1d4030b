package dev.ocellus.vlm.generate;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.LlamaModel;
import dev.ocellus.vlm.decode.LlamaDecoder;
import dev.ocellus.vlm.decode.TextDecoder;
import dev.ocellus.vlm.graph.RunnerOptions;
import dev.ocellus.vlm.model.text.TextGraphs;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;

/** Loads a text model with what computes it: a graph of ours where there is one, else libllama. */
final class TextModelLoader {
  private TextModelLoader() {}

  static TextDecoder load(LoadOptions options) throws IOException {
    boolean isGraph;
    try (GgufFile file = GgufFile.open(options.model())) {
      isGraph = TextGraphs.isOne(file);
    }
    if (!isGraph) {
      return new LlamaDecoder(LlamaModel.load(options.model(), options.modelOptions()));
    }
    boolean useGpu = options.modelOptions().nGpuLayers() != 0;
    return TextGraphs.open(
        options.model(),
        RunnerOptions.cpu(options.contextOptions().nThreadsBatch()).withGpu(useGpu));
  }
}
