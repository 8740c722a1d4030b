package dev.ocellus.convert.model.maker;

import dev.ocellus.convert.hf.HfConfig;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.NameTable;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.convert.model.base.VisionModel;
import dev.ocellus.gguf.GgufWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What lets Janus' text model write codes of images: a head, embeddings, and an aligner. */
final class JanusHead {
  private static final String EMBEDDINGS = "generation_embeddings.weight";

  private static final NameTable NAMES =
      NameTable.of(
          "generation_embeddings gen.embd",
          "generation_aligner.fc1 gen.aligner.0",
          "generation_head.proj_out gen.head.0",
          "generation_head.vision_head gen.head.1");

  private final Context context;
  private final Map<String, LazyTensor> all;

  JanusHead(Context context, Map<String, LazyTensor> all) {
    this.context = context;
    this.all = all;
  }

  static boolean isIn(Map<String, LazyTensor> all) {
    return all.containsKey("model." + EMBEDDINGS) || all.containsKey(EMBEDDINGS);
  }

  void parameters(GgufWriter out) {
    HfConfig root = context.folder().config();
    HfConfig vq = root.section("vq_config", "janus_vqgan");
    int places = vq.integerOr("num_patches", 0);
    HfConfig vision = root.section("vision_config", "janus_vision_model");
    out.u32(
        "vq.generation.code_count", vision.findInteger("num_image_tokens").orElse(places * places));
    String act = vq.findString("hidden_act").orElse("gelu");
    VisionModel.requireKnown(vq, act);
    out.string("vq.generation.hidden_act", act);
  }

  List<TargetTensor> tensors() {
    List<TargetTensor> out = new ArrayList<>();
    for (Map.Entry<String, LazyTensor> e : all.entrySet()) {
      String name = e.getKey().startsWith("model.") ? e.getKey().substring(6) : e.getKey();
      if (name.startsWith("generation_")) {
        out.add(new TargetTensor(gguf(name, e.getValue()), e.getValue()));
      }
    }
    return out;
  }

  private String gguf(String name, LazyTensor tensor) {
    String[] parts = name.split("\\.");
    if (name.startsWith("generation_aligner.hidden_layers.")
        && parts.length == 4
        && parts[2].matches("\\d{1,3}")) {
      return "gen.aligner.%d.%s".formatted(Integer.parseInt(parts[2]) + 1, parts[3]);
    }
    Optional<String> found = NAMES.find(name);
    return found.orElseThrow(() -> context.unknownTensor(tensor.name(), "a head for images"));
  }
}
