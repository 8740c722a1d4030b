package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What families of image encoders do to tensors, on encoders of width 4. */
class VisionConversionTest {
  @TempDir Path directory;

  @BeforeEach
  void writeProcessor() throws IOException {
    CheckpointBuilder.in(directory)
        .file(
            "preprocessor_config.json",
            "{\"image_mean\": [0.1, 0.2, 0.3], \"image_std\": [1, 1, 1], \"min_pixels\": 56, \"max_pixels\": 99}");
  }

  private void converted(CheckpointBuilder checkpoint, OutputType type, Consumer<GgufFile> check)
      throws IOException {
    checkpoint.write();
    Path out = directory.resolve("mmproj.gguf");
    ConvertOptions options =
        ConvertOptions.defaults()
            .withParts(false, Encoders.YES)
            .withOutput(out, null)
            .withTypes(type, type);
    Converter.convert(directory, options, ConvertProgress.NONE);
    try (GgufFile file = GgufFile.open(out)) {
      check.accept(file);
    }
  }

  private static float[] floats(GgufFile file, String name) {
    GgufTensor t = file.tensor(name);
    assertThat(t.type()).isEqualTo(TensorType.F32);
    return t.data().segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  private CheckpointBuilder checkpoint(String architecture, String type, String more)
      throws IOException {
    return CheckpointBuilder.in(directory)
        .config(
            "{\"architectures\": [\"%s\"], \"model_type\": \"%s\", \"text_config\": {\"hidden_size\": 8}, %s}"
                .formatted(architecture, type, more));
  }

  private static CheckpointBuilder clipBlocks(CheckpointBuilder b, String prefix, int n) {
    for (int i = 0; i < n; i++) {
      String layer = prefix + "encoder.layers." + i + ".";
      b.tensor(layer + "layer_norm1.weight", 4);
      b.tensor(layer + "self_attn.q_proj.weight", 4, 4);
      b.tensor(layer + "mlp.fc1.weight", 6, 4);
      b.tensor(layer + "mlp.fc2.weight", 4, 6);
    }
    return b;
  }

  private CheckpointBuilder llava(String architecture, String type, String tower, String more)
      throws IOException {
    String vision =
        "\"vision_config\": {\"model_type\": \"%s\", \"hidden_size\": 4, \"num_hidden_layers\": 3, \"num_attention_heads\": 2, \"intermediate_size\": 6, \"image_size\": 4, \"patch_size\": 2}"
            .formatted(tower);
    CheckpointBuilder b = checkpoint(architecture, type, vision + more);
    String prefix = "vision_tower.vision_model.";
    clipBlocks(b, prefix, 3);
    b.tensor(prefix + "embeddings.patch_embedding.weight", 4, 3, 2, 2);
    b.tensor(prefix + "post_layernorm.weight", 4);
    b.tensor("multi_modal_projector.linear_1.weight", 8, 4);
    b.tensor("multi_modal_projector.linear_2.weight", 8, 8);
    return b.tensor("language_model.model.norm.weight", 8);
  }

  @Test
  void llavaKeepsLayersUpToTheOneThatIsLookedAt() throws IOException {
    converted(
        llava("LlavaForConditionalGeneration", "llava", "clip_vision_model", ""),
        OutputType.F32,
        f -> {
          assertThat(f.metadata().int32("clip.vision.block_count")).isEqualTo(2); // layer -2 of 3
          assertThat(f.metadata().integers("clip.vision.feature_layer")).containsExactly(2);
          assertThat(f.metadata().bool("clip.use_gelu", true)).isFalse(); // quick_gelu by default
          assertThat(f.tensor("v.blk.1.ffn_down.weight").shape()).containsExactly(4L, 6L);
          assertThat(f.findTensor("v.blk.2.ln1.weight")).isEmpty();
          assertThat(f.findTensor("v.post_ln.weight")).isEmpty();
          assertThat(f.tensor("mm.2.weight").shape()).containsExactly(8L, 8L);
        });
  }

  @Test
  void llavaNextHasGridsAndANewline() throws IOException {
    CheckpointBuilder b =
        llava("LlavaNextForConditionalGeneration", "llava_next", "clip_vision_model", "")
            .tensor("image_newline", 8);
    b.config().putArray("image_grid_pinpoints").addArray().add(4).add(8);
    converted(
        b,
        OutputType.F32,
        f -> {
          assertThat(f.metadata().integers("clip.vision.image_grid_pinpoints"))
              .containsExactly(4, 8);
          assertThat(f.tensor("model.image_newline").shape()).containsExactly(8L);
        });
  }

  @Test
  void llavaOnevisionSaysHowItTiles() throws IOException {
    CheckpointBuilder b =
        llava(
                "LlavaOnevisionForConditionalGeneration",
                "llava_onevision",
                "siglip_vision_model",
                ", \"vision_aspect_ratio\": \"anyres_max_4\"")
            .tensor("image_newline", 8);
    converted(
        b,
        OutputType.F32,
        f -> {
          assertThat(f.metadata().string("clip.vision.image_aspect_ratio"))
              .isEqualTo("anyres_max_4");
          assertThat(f.metadata().int32("clip.vision.block_count")).isEqualTo(3); // layer -1
          assertThat(f.metadata().integers("clip.vision.image_grid_pinpoints")).hasSize(72);
          assertThat(f.findTensor("v.post_ln.weight")).isEmpty();
        });
  }

  private CheckpointBuilder qwen2() throws IOException {
    CheckpointBuilder b =
        CheckpointBuilder.in(directory)
            .config(
                """
                {"architectures": ["Qwen2VLForConditionalGeneration"], "model_type": "qwen2_vl",
                 "hidden_size": 8, "vision_config": {"depth": 1, "embed_dim": 4, "hidden_size": 8,
                 "num_heads": 2, "patch_size": 2}}
                """);
    b.tensor("visual.blocks.0.attn.qkv.weight", 12, 4);
    b.tensor("visual.blocks.0.attn.qkv.bias", 12);
    return b.tensor("visual.patch_embed.proj.weight", 4, 3, 2, 2, 2);
  }

  @Test
  void qwenSplitsFramesAndQueriesKeysValues() throws IOException {
    converted(
        qwen2(),
        OutputType.F32,
        f -> {
          assertThat(floats(f, "v.patch_embd.weight")).startsWith(0, 1, 2, 3, 8, 9);
          assertThat(floats(f, "v.patch_embd.weight.1")).startsWith(4, 5, 6, 7, 12, 13);
          assertThat(f.tensor("v.patch_embd.weight.1").shape()).containsExactly(2L, 2L, 3L, 4L);
          assertThat(floats(f, "v.blk.0.attn_k.weight")).startsWith(16, 17).hasSize(16);
          assertThat(floats(f, "v.blk.0.attn_v.bias")).containsExactly(8, 9, 10, 11);
          assertThat(f.metadata().string("clip.projector_type")).isEqualTo("qwen2vl_merger");
          assertThat(f.metadata().int32("clip.vision.embedding_length")).isEqualTo(4);
          assertThat(f.metadata().int32("clip.vision.image_max_pixels")).isEqualTo(99);
        });
  }

  @Test
  void kernelsOfPatchesAreF16OnlyInF16Files() throws IOException {
    converted(
        qwen2(),
        OutputType.F16,
        f -> {
          assertThat(f.tensor("v.patch_embd.weight").type()).isEqualTo(TensorType.F16);
          assertThat(f.tensor("v.patch_embd.weight.1").type()).isEqualTo(TensorType.F16);
        });
    converted(
        qwen2(),
        OutputType.BF16,
        f -> {
          assertThat(f.tensor("v.patch_embd.weight").type()).isEqualTo(TensorType.F32);
          assertThat(f.tensor("v.blk.0.attn_q.weight").type()).isEqualTo(TensorType.BF16);
        });
  }

  @Test
  void refusesWindowsOfBlocksThatDoNotExist() throws IOException {
    CheckpointBuilder b = qwen2();
    b.config(
        """
        {"architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl",
         "hidden_size": 8, "vision_config": {"depth": 1, "hidden_size": 4, "intermediate_size": 8,
         "num_heads": 2, "patch_size": 2, "fullatt_block_indexes": [1, 4]}}
        """);
    assertThatThrownBy(() -> converted(b, OutputType.F32, f -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("fullatt_block_indexes", "[1, 4]");
  }

  @Test
  void gemmaAddsOneToItsNormAndKeepsItsMatrixF16() throws IOException {
    String prefix = "vision_tower.vision_model.";
    CheckpointBuilder b =
        checkpoint(
            "Gemma3ForConditionalGeneration",
            "gemma3",
            "\"mm_tokens_per_image\": 1, \"vision_config\": {\"hidden_size\": 4, \"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"intermediate_size\": 6, \"image_size\": 4, \"patch_size\": 2}");
    clipBlocks(b, prefix, 1);
    b.tensor(prefix + "embeddings.patch_embedding.weight", 4, 3, 2, 2);
    b.tensor("multi_modal_projector.mm_soft_emb_norm.weight", 4);
    b.tensor("multi_modal_projector.mm_input_projection_weight", 4, 8);
    converted(
        b,
        OutputType.F32,
        f -> {
          assertThat(floats(f, "mm.soft_emb_norm.weight")).containsExactly(1, 2, 3, 4);
          assertThat(f.tensor("mm.input_projection.weight").type()).isEqualTo(TensorType.F16);
          assertThat(floats(f, "v.blk.0.ln1.weight")).containsExactly(0, 1, 2, 3); // SigLIP's own
          assertThat(f.metadata().int32("clip.vision.projector.scale_factor")).isEqualTo(2);
        });
  }

  @Test
  void pixtralTakesARowOfTheEmbedding() throws IOException {
    CheckpointBuilder b =
        checkpoint(
            "LlavaForConditionalGeneration",
            "llava",
            "\"vision_feature_layer\": -1, \"vision_config\": {\"model_type\": \"pixtral\", \"hidden_size\": 4, \"num_hidden_layers\": 1, \"num_attention_heads\": 1, \"intermediate_size\": 6, \"image_size\": 4, \"patch_size\": 2}");
    b.tensor("vision_tower.patch_conv.weight", 4, 3, 2, 2);
    b.tensor("vision_tower.transformer.layers.0.attention.q_proj.weight", 4, 4);
    b.tensor("vision_tower.transformer.layers.0.attention.v_proj.weight", 4, 4);
    b.tensor("language_model.model.embed_tokens.weight", 5, 8);
    b.file("tokenizer.json", "{\"added_tokens\": [{\"id\": 3, \"content\": \"[IMG_BREAK]\"}]}");
    converted(
        b,
        OutputType.F32,
        f -> {
          assertThat(floats(f, "v.token_embd.img_break"))
              .containsExactly(24, 25, 26, 27, 28, 29, 30, 31);
          assertThat(floats(f, "v.blk.0.attn_q.weight")).startsWith(0, 1, 2, 3, 8, 9, 10, 11);
          assertThat(floats(f, "v.blk.0.attn_v.weight")).startsWith(0, 1, 2, 3, 4, 5);
        });
  }

  @Test
  void namesABlockThatLacksATensor() throws IOException {
    CheckpointBuilder b =
        llava("LlavaForConditionalGeneration", "llava", "clip_vision_model", "")
            .without("vision_tower.vision_model.encoder.layers.1.mlp.fc2.weight");
    assertThatThrownBy(() -> converted(b, OutputType.F32, f -> {}))
        .isInstanceOf(ConversionException.class)
        .hasMessageContaining("v.blk.1.ffn_up.weight");
  }
}
