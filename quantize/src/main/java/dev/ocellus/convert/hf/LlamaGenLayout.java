package dev.ocellus.convert.hf;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Folders with what LlamaGen (arXiv:2406.06525) publishes for drawing classes: the transformer,
 * such as {@code c2i_B_256.pt}, beside the VQ model, such as {@code vq_ds16_c2i.pt}, and no
 * configuration. The size of the images is in the first name.
 */
final class LlamaGenLayout {
  private static final Pattern TRANSFORMER =
      Pattern.compile("c2i_[A-Za-z0-9]+(?:_(\\d{1,4}))?\\.pt");
  private static final Pattern CODES = Pattern.compile("vq_.*\\.pt");

  private LlamaGenLayout() {}

  /** Whether a folder has them, and no configuration that would say more. */
  static boolean isOne(Path directory) {
    if (Files.exists(directory.resolve(HfFolder.CONFIG))) {
      return false;
    }
    try {
      return hasBoth(names(directory));
    } catch (IOException e) {
      return false;
    }
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(p -> String.valueOf(p.getFileName())).sorted().toList();
    }
  }

  /** Whether there is one of each. */
  static boolean hasBoth(List<String> names) {
    return names.stream().filter(n -> TRANSFORMER.matcher(n).matches()).count() == 1
        && names.stream().filter(n -> CODES.matcher(n).matches()).count() == 1;
  }

  /** Both files. */
  static List<String> files(List<String> names) {
    return names.stream()
        .filter(n -> TRANSFORMER.matcher(n).matches() || CODES.matcher(n).matches())
        .toList();
  }

  /** What the file's name says. */
  static HfConfig config(Path directory) throws IOException {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("model_type", "llamagen");
    for (String name : names(directory)) {
      Matcher m = TRANSFORMER.matcher(name);
      if (m.matches() && m.group(1) != null) {
        node.put("image_size", Integer.parseInt(m.group(1)));
      }
    }
    return HfConfig.of(directory.resolve(HfFolder.CONFIG), node);
  }
}
