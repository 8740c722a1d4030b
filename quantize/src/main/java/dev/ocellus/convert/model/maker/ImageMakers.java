package dev.ocellus.convert.model.maker;

import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds what makes images in a checkpoint: VQ models by their tensors, as many projects publish
 * them with configurations of their own or with none; the others by their configuration.
 */
public final class ImageMakers {
  /** What stands before the names of a VQ model; alone, in wrappers, and as Janus' authors do. */
  private static final List<String> PREFIXES =
      List.of("", "model.vqmodel.", "vqmodel.", "model.vqgan.", "gen_vision_model.");

  private interface Factory {
    ModelConverter create(Context context) throws IOException;
  }

  private static final Map<String, Factory> BY_TYPE =
      Map.of(
          "dcgan",
          DcganModel::new,
          "imagegpt",
          ImageGptModel::new,
          "vqvae",
          VqVaeModel::new,
          "llamagen",
          LlamaGenModel::new);

  private ImageMakers() {}

  /** The converter of what makes images, or nothing where nothing does. */
  public static Optional<ModelConverter> find(Context context) throws IOException {
    HfConfig root = context.folder().config();
    Factory known = BY_TYPE.get(root.modelType());
    if (known != null) {
      return Optional.of(known.create(context));
    }
    Optional<String> prefix = prefix(context);
    return prefix.isPresent() ? Optional.of(new VqModel(context, prefix.get())) : Optional.empty();
  }

  /** Whether the checkpoint is this alone, and no text model with it. */
  public static boolean isAlone(Context context) {
    return BY_TYPE.containsKey(context.folder().config().modelType())
        || prefix(context).filter(String::isEmpty).isPresent();
  }

  private static Optional<String> prefix(Context context) {
    return PREFIXES.stream()
        .filter(p ->
            context.folder().tensors().containsKey(p + "encoder.conv_in.weight")
                && context.folder().tensors().containsKey(p + "quantize.embedding.weight"))
        .findFirst();
  }
}
