package dev.ocellus.hub;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which files of a repository are a checkpoint as transformers or open_clip read it. */
final class CheckpointChoice {
  private static final Pattern SAFETENSORS =
      Pattern.compile("[^/]*\\.safetensors(\\.index\\.json)?");
  private static final Pattern PICKLE =
      Pattern.compile("(pytorch_model|open_clip_pytorch_model)[^/]*\\.bin(\\.index\\.json)?");
  private static final Pattern AROUND =
      Pattern.compile(
          "[^/]*\\.(json|jinja|model|tiktoken|txt)|additional_chat_templates/[^/]*\\.jinja");

  private CheckpointChoice() {}

  /** Whether there is one. */
  static boolean isCheckpoint(List<HubFile> files) {
    return files.stream()
        .map(HubFile::path)
        .anyMatch(path -> path.equals("config.json") || path.equals("open_clip_config.json"));
  }

  /** Its weights, once, and what stands beside them. */
  static List<HubFile> of(List<HubFile> files) {
    boolean safe = files.stream().anyMatch(f -> SAFETENSORS.matcher(f.path()).matches());
    Pattern weights = safe ? SAFETENSORS : PICKLE;
    return files.stream().filter(f -> weights.matcher(f.path()).matches() || isAround(f)).toList();
  }

  private static boolean isAround(HubFile file) {
    String path = file.path().toLowerCase(Locale.ROOT);
    return AROUND.matcher(path).matches()
        && !path.endsWith(".index.json")
        && !path.startsWith("readme");
  }
}
