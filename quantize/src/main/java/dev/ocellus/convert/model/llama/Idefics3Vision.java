package dev.ocellus.convert.model.llama;

import com.fasterxml.jackson.databind.JsonNode;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VideoKeys;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Idefics3 (arXiv:2408.12637) and SmolVLM (arXiv:2504.05299): a SigLIP tower for images in tiles,
 * pixel shuffle, one linear map.
 */
public final class Idefics3Vision extends VisionModel {
  private static final NameTable NAMES = TOWER.with("modality_projection.proj mm.model.fc");

  private static final int LANCZOS = 1;

  private final VideoKeys videos;

  public Idefics3Vision(Context context) throws IOException {
    super(context, "idefics3_vision");
    videos = VideoKeys.of(context.folder());
  }

  @Override
  protected String projector() {
    return "idefics3";
  }

  @Override
  protected void more(GgufWriter out) {
    out.string("clip.projector_type", projector());
    out.f32("clip.vision.attention.layer_norm_epsilon", eps(1e-5));
    out.u32("clip.vision.projector.scale_factor", global.integer("scale_factor"));
    out.bool("clip.use_gelu", true);
    JsonNode size = processor.find("size");
    int longest = size == null ? 0 : size.path("longest_edge").asInt(0);
    out.u32("clip.vision.preproc_image_size", longest > 0 ? longest : imageSize());
    requireTilesOfTheTower();
    if (!processor.flag("do_image_splitting", true)) {
      out.bool("clip.vision.do_image_splitting", false);
    }
    if (global.modelType().equals("smolvlm")) {
      videos(out, longest > 0 ? longest : imageSize());
    }
  }

  /** SmolVLM alone has a video processor, which older files describe by a part of their own. */
  private void videos(GgufWriter out, int longestOfImages) {
    HfConfig own = videos.config();
    JsonNode sampling = own.find("video_sampling");
    JsonNode size = own.find("size");
    if (sampling != null) {
      size = size == null ? sampling.get("video_size") : size;
      videos.integer(out, "max_frames", sampling.path("max_frames").asInt(64), 64);
      videos.rate(out, sampling.path("fps").asDouble(1), 1);
    } else {
      videos.integer(out, "max_frames", "num_frames", 64, 64);
      videos.rate(out, 1);
    }
    int longest = size == null ? 0 : size.path("longest_edge").asInt(0);
    videos.integer(
        out, "preproc_image_size", longest > 0 ? longest : longestOfImages, longestOfImages);
    videos.pixels(out, filter(), usualFilter(), processor, VideoKeys.HALF, VideoKeys.HALF);
  }

  /** Tiles of another size would take other positions than their own from the table. */
  private void requireTilesOfTheTower() {
    JsonNode tile = processor.find("max_image_size");
    int side = tile == null ? 0 : tile.path("longest_edge").asInt(0);
    if (side > 0 && side != imageSize()) {
      throw processor.invalid(
          "max_image_size.longest_edge", imageSize() + ", as the tower's image_size", "" + side);
    }
  }

  @Override
  protected int usualFilter() {
    return LANCZOS;
  }

  @Override
  protected Set<String> usualActivations() {
    return GELU_TANH;
  }

  @Override
  protected Optional<String> own(String name) {
    return after(name, "model.vision_model.", "vision_model.", "model.connector.", "connector.");
  }

  @Override
  protected List<TargetTensor> map(String name, LazyTensor tensor) {
    return named(NAMES, name, tensor);
  }

  @Override
  public TensorType typeOf(TargetTensor tensor, OutputType type) {
    return tensor.data().name().contains(".embeddings.")
        ? TensorType.F32
        : super.typeOf(tensor, type);
  }
}
