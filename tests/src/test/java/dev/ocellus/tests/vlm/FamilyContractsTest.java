package dev.ocellus.tests.vlm;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import dev.ocellus.vlm.encoder.VisionEncoder;
import java.io.IOException;
import java.lang.reflect.Constructor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A family that is added to the golden data and not to the contract would go unnoticed. */
class FamilyContractsTest {
  @TempDir Path directory;

  @Test
  void everyFamilyOfTheGoldenDataKeepsTheContract() throws Exception {
    Set<String> golden = new TreeSet<>();
    try (Stream<Path> models = Files.list(Path.of("golden/models"))) {
      for (Path model : models.map(m -> m.resolve("gguf/mmproj.gguf")).toList()) {
        if (Files.exists(model)) {
          golden.add(family(model));
        }
      }
    }
    Set<String> kept = new TreeSet<>();
    for (VisionEncoderContract contract : contracts()) {
      kept.add(family(contract.mmproj()));
    }
    // which there are only checkpoints of
    golden.addAll(
        List.of(
            "gemma4",
            "gemma4-unified",
            "deepseek-ocr2",
            "glm4v",
            "granite4-vision",
            "hunyuan-vl",
            "llama4",
            "lfm2-vl",
            "lighton-ocr",
            "minicpm-v-4.6",
            "minicpm-v-4.7",
            "kimi-k2.5",
            "kimi-vl",
            "paddleocr-vl",
            "qwen-vl"));
    assertThat(kept).containsExactlyElementsOf(golden);
    assertThat(kept).contains("llava", "llava-next", "internvl", "pixtral", "qwen2.5-vl");
  }

  private static String family(Path mmproj) throws IOException {
    try (VisionEncoder encoder = VisionEncoder.open(mmproj, 1, false)) {
      return encoder.architecture().name();
    }
  }

  private List<VisionEncoderContract> contracts() throws Exception {
    List<VisionEncoderContract> contracts = new ArrayList<>();
    for (JavaClass c : new ClassFileImporter().importPackagesOf(VisionEncoderContract.class)) {
      if (c.isAssignableTo(VisionEncoderContract.class)
          && !c.getModifiers().contains(JavaModifier.ABSTRACT)) {
        contracts.add(instance(c.reflect()));
      }
    }
    return contracts;
  }

  private static Object outer(Class<?> type) throws Exception {
    Constructor<?> constructor = type.getDeclaredConstructor();
    constructor.setAccessible(true);
    return constructor.newInstance();
  }

  private VisionEncoderContract instance(Class<?> type) throws Exception {
    Constructor<?> constructor = type.getDeclaredConstructors()[0];
    constructor.setAccessible(true);
    Object made =
        constructor.getParameterCount() == 0
            ? constructor.newInstance()
            : constructor.newInstance(outer(constructor.getParameterTypes()[0]));
    VisionEncoderContract contract = (VisionEncoderContract) made;
    contract.directory = directory;
    return contract;
  }
}
