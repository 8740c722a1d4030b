package dev.ocellus.spark;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.llama.ModelOptions;
import dev.ocellus.vlm.embedding.EmbeddingInput;
import dev.ocellus.vlm.embedding.VisionLanguageEmbedder;
import dev.ocellus.vlm.image.RgbImage;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import org.apache.spark.sql.Row;

/** A vision-language model whose states are vectors. It computes one image at a time. */
final class VisionVectorModel extends LoadedModel {
  private final VisionLanguageEmbedder embedder;

  private VisionVectorModel(String hash, Compute compute, VisionLanguageEmbedder embedder) {
    super(hash, compute);
    this.embedder = embedder;
  }

  static VisionVectorModel open(
      LocatedModel files, Path mmproj, ExecutorOptions options, Compute compute)
      throws IOException {
    ContextOptions context =
        ContextOptions.defaults().withThreads(compute.threads(), compute.threads());
    if (options.context() > 0) {
      context = context.withContext(options.context());
    }
    ModelOptions model = ModelOptions.defaults();
    LoadOptions load =
        LoadOptions.of(files.model(), mmproj)
            .withContextOptions(context)
            .withModelOptions(compute.gpu() == Compute.NO_GPU ? model.withGpuLayers(0) : model);
    return new VisionVectorModel(files.hash(), compute, VisionLanguageEmbedder.open(load));
  }

  @Override
  RowWorker newWorker(Request request) {
    if (request instanceof EmbedRequest embed) {
      return (file, seen) -> {
        RgbImage image = file.decode(seen);
        seen.requireWanted();
        String text = file.prompt() == null ? "" : file.prompt();
        EmbeddingInput input = EmbeddingInput.of(image, text).withInstruction(embed.instruction());
        return new Object[] {EmbedWorker.boxed(embedder.embed(input)), new Row[0], null};
      };
    }
    throw new ModelException(
        "labels: expected a dual encoder such as CLIP, found a vision-language model", null);
  }

  @Override
  void closeModel() {
    embedder.close();
  }
}
