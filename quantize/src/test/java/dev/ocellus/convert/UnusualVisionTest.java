package dev.ocellus.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Settings that no published checkpoint of a family has, and those that have no key. */
class UnusualVisionTest {
  @TempDir Path directory;

  private GgufFile convert(String config, String processor, String tower, int nBlock)
      throws IOException {
    CheckpointBuilder b = CheckpointBuilder.in(directory).config(config);
    b.file(
        "preprocessor_config.json",
        "{\"image_mean\": [0.5,0.5,0.5], \"image_std\": [0.5,0.5,0.5]%s}".formatted(processor));
    b.tensor(tower.substring(0, tower.indexOf("encoder")) + "embeddings.patch_embedding.weight", 4);
    for (int i = 0; i < nBlock; i++) {
      b.tensor(tower + i + ".mlp.fc1.weight", 6, 4);
    }
    b.write();
    Path file = directory.resolve("mmproj.gguf");
    Converter.convert(
        directory,
        ConvertOptions.defaults()
            .withParts(false, Encoders.YES)
            .withTypes(OutputType.F32, OutputType.F32)
            .withOutput(file, null),
        ConvertProgress.NONE);
    return GgufFile.open(file);
  }

  private GgufFile llava(String vision, String more, String processor) throws IOException {
    return convert(
        """
        {"architectures": ["LlavaForConditionalGeneration"], "model_type": "llava",
         "text_config": {"hidden_size": 8}%s,
         "vision_config": {"hidden_size": 4, "num_hidden_layers": 3, "num_attention_heads": 2,
           "intermediate_size": 6, "image_size": 28, "patch_size": 7%s}}
        """
            .formatted(more, vision),
        processor,
        "vision_tower.vision_model.encoder.layers.",
        3);
  }

  @Test
  void saysNothingOfWhatIsUsual() throws IOException {
    String processor =
        ", \"resample\": 3, \"do_center_crop\": true, \"crop_size\": 28, \"size\": {\"shortest_edge\": 28}";
    try (GgufFile f = llava(", \"hidden_act\": \"quick_gelu\"", "", processor)) {
      assertThat(f.metadata().asMap())
          .doesNotContainKeys(
              "clip.vision.image_resample",
              "clip.vision.hidden_act",
              "clip.vision.image_aspect_ratio",
              "clip.vision.preproc_image_size",
              "clip.vision.mm_vision_select_feature");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"size\": {\"height\": 28, \"width\": 28} | stretch | 28",
        "\"size\": 28, \"do_pad\": true | pad | 28",
        "\"size\": {\"shortest_edge\": 32} | crop | 32",
        "\"size\": 40 | crop | 40"
      })
  void saysHowImagesAreFitted(String processor, String ratio, int shortest) throws IOException {
    try (GgufFile f = llava("", "", ", " + processor)) {
      GgufMetadata m = f.metadata();
      assertThat(m.string("clip.vision.image_aspect_ratio", "crop")).isEqualTo(ratio);
      assertThat(m.int32("clip.vision.preproc_image_size", 28)).isEqualTo(shortest);
    }
  }

  @Test
  void refusesASquareThatIsNotTheTowers() {
    assertThatThrownBy(() -> llava("", "", ", \"size\": {\"height\": 30, \"width\": 28}").close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("size", "28 x 28", "30");
  }

  @Test
  void saysWhichRowsOfLlavaAreKept() throws IOException {
    try (GgufFile f = llava("", ", \"vision_feature_select_strategy\": \"full\"", "")) {
      assertThat(f.metadata().string("clip.vision.mm_vision_select_feature"))
          .isEqualTo("cls_patch");
    }
    String siglip = ", \"model_type\": \"siglip_vision_model\"";
    try (GgufFile f = llava(siglip, ", \"vision_feature_select_strategy\": \"full\"", "")) {
      assertThat(f.metadata().contains("clip.vision.mm_vision_select_feature")).isFalse();
      assertThat(f.metadata().bool("clip.use_gelu", false)).isTrue();
    }
  }

  @Test
  void saysWhichActivationAndFilterItIs() throws IOException {
    try (GgufFile f = llava(", \"hidden_act\": \"silu\"", "", ", \"resample\": 1")) {
      assertThat(f.metadata().string("clip.vision.hidden_act")).isEqualTo("silu");
      assertThat(f.metadata().int32("clip.vision.image_resample")).isEqualTo(1);
    }
    assertThatThrownBy(() -> llava(", \"hidden_act\": \"mish\"", "", "").close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("hidden_act", "mish", "quick_gelu");
    assertThatThrownBy(() -> llava("", "", ", \"resample\": 0").close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("resample", "from 1 to 5");
  }

  @Test
  void leavesColoursAsTheyAreIfTheProcessorDoes() throws IOException {
    try (GgufFile f = llava("", "", ", \"do_normalize\": false")) {
      assertThat(f.metadata().floats("clip.vision.image_mean")).containsExactly(0, 0, 0);
      assertThat(f.metadata().floats("clip.vision.image_std")).containsExactly(1, 1, 1);
    }
  }

  @ParameterizedTest
  @CsvSource({"do_resize, false", "do_rescale, false", "rescale_factor, 0.0078125"})
  void refusesStepsThatNoFileCanSay(String key, String value) {
    assertThatThrownBy(() -> llava("", "", ", \"%s\": %s".formatted(key, value)).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll(key, value);
  }

  @Test
  void refusesTilesThatAreNotTheTowers() {
    String config =
        """
        {"architectures": ["Idefics3ForConditionalGeneration"], "model_type": "idefics3",
         "text_config": {"hidden_size": 8}, "scale_factor": 2,
         "vision_config": {"hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
           "intermediate_size": 6, "image_size": 28, "patch_size": 7}}
        """;
    String tower = "model.vision_model.encoder.layers.";
    String tiles = ", \"max_image_size\": {\"longest_edge\": 14}";
    assertThatThrownBy(() -> convert(config, tiles, tower, 1).close())
        .isInstanceOf(ConversionException.class)
        .hasMessageContainingAll("max_image_size", "28", "14");
  }

  @Test
  void saysHowNarrowImagesOfJanusMayBe() throws IOException {
    String config =
        """
        {"architectures": ["JanusForConditionalGeneration"], "model_type": "janus",
         "text_config": {"hidden_size": 8},
         "vision_config": {"model_type": "janus_vision_model", "hidden_size": 4,
           "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 7}}
        """;
    String tower = "model.vision_model.encoder.layers.";
    try (GgufFile f = convert(config, ", \"min_size\": 20", tower, 1)) {
      assertThat(f.metadata().int32("clip.vision.preproc_min_size")).isEqualTo(20);
    }
  }

  @ParameterizedTest
  @CsvSource({"vision_feature_layer, -2, 3", "select_layer, -4, 1", "vision_feature_layer, 2, 2"})
  void internVlKeepsBlocksUpToTheOneThatIsLookedAt(String key, int layer, int nBlock)
      throws IOException {
    String config =
        """
        {"architectures": ["InternVLChatModel"], "model_type": "internvl_chat",
         "llm_config": {"model_type": "qwen2", "hidden_size": 8}, "downsample_ratio": 0.5,
         "%s": %d,
         "vision_config": {"model_type": "intern_vit_6b", "hidden_size": 4, "num_hidden_layers": 4,
           "num_attention_heads": 2, "intermediate_size": 6, "image_size": 28, "patch_size": 7}}
        """
            .formatted(key, layer);
    try (GgufFile f = convert(config, "", "vision_model.encoder.layers.", 4)) {
      assertThat(f.metadata().int32("clip.vision.block_count")).isEqualTo(nBlock);
      assertThat(f.findTensor("v.blk.%d.ffn_up.weight".formatted(nBlock - 1))).isPresent();
      assertThat(f.findTensor("v.blk.%d.ffn_up.weight".formatted(nBlock))).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"[1, 3] | 2 | none", "[3] | 4 | none", "[1] | 0 | 1", "[2, 0] | 0 | 0 2"})
  void qwenListsBlocksWithoutWindowsUnlessTheyAreEveryNth(String full, int n, String listed)
      throws IOException {
    String config =
        """
        {"architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl",
         "hidden_size": 8, "vision_config": {"depth": 4, "hidden_size": 4, "intermediate_size": 8,
         "num_heads": 2, "patch_size": 2, "fullatt_block_indexes": %s}}
        """
            .formatted(full);
    CheckpointBuilder b = CheckpointBuilder.in(directory).config(config);
    b.tensor("visual.patch_embed.proj.weight", 4, 3, 2, 2, 2);
    for (int i = 0; i < 4; i++) {
      b.tensor("visual.blocks." + i + ".norm1.weight", 4);
    }
    b.file("preprocessor_config.json", "{\"image_mean\": [0,0,0], \"image_std\": [1,1,1]}");
    b.write();
    Path file = directory.resolve("mmproj.gguf");
    Converter.convert(
        directory,
        ConvertOptions.defaults().withParts(false, Encoders.YES).withOutput(file, null),
        ConvertProgress.NONE);
    try (GgufFile f = GgufFile.open(file)) {
      assertThat(f.metadata().int32("clip.vision.n_wa_pattern", 0)).isEqualTo(n);
      String found =
          f.metadata()
              .findIntegers("clip.vision.wa_layer_indexes")
              .map(a -> java.util.Arrays.toString(a).replaceAll("[\\[\\],]", ""))
              .orElse("none");
      assertThat(found).isEqualTo(listed);
    }
  }
}
