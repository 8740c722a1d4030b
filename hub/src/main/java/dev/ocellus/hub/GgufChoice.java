package dev.ocellus.hub;

import dev.ocellus.hub.HubException.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Which GGUF files of a repository make the model, as llama.cpp chooses: the type that is asked
 * for, else Q4_K_M, else Q8_0, else the first; all files of a split model; and the image encoder
 * that lies nearest and whose type is nearest.
 */
final class GgufChoice {
  private static final List<String> DEFAULTS = List.of("Q4_K_M", "Q8_0");
  private static final List<String> NOT_MODELS =
      List.of("mmproj", "imatrix", "mtp-", "eagle3-", "dflash-", "dspark-");
  private static final Pattern SHARD =
      Pattern.compile("(?<base>.*)-(?<no>\\d{5})-of-(?<count>\\d{5})\\.gguf");
  private static final Pattern TYPE = Pattern.compile("[-.]([A-Za-z0-9_]+)\\.gguf$");
  private static final int MAX_SHARDS = 9999;

  private final List<HubFile> files;

  GgufChoice(List<HubFile> files) {
    this.files =
        files.stream().filter(f -> f.path().toLowerCase(Locale.ROOT).endsWith(".gguf")).toList();
  }

  /** Whether the repository holds text models in GGUF. */
  boolean hasModels() {
    return !models().isEmpty();
  }

  /** The model's files; the first is the one to open. */
  List<HubFile> model(HubName name) {
    if (name.file().isPresent()) {
      return shards(exactly(name.file().get()), name);
    }
    Optional<HubFile> chosen =
        name.quant().isPresent()
            ? first(name.quant().get())
            : DEFAULTS.stream().flatMap(type -> first(type).stream()).findFirst().or(this::any);
    return shards(
        chosen.orElseThrow(() ->
            new HubException(
                Kind.CHOICE,
                "%s has no GGUF file of type %s; there are: %s"
                    .formatted(name.repository(), name.quant().orElse("any"), types()))),
        name);
  }

  private HubFile exactly(String path) {
    return files.stream()
        .filter(f -> f.path().equals(path))
        .findFirst()
        .orElseThrow(() ->
            new HubException(
                Kind.NOT_FOUND,
                "There is no %s; there are: %s"
                    .formatted(
                        path,
                        files.stream().map(HubFile::path).collect(Collectors.joining(", ")))));
  }

  private List<HubFile> models() {
    return files.stream()
        .filter(f -> NOT_MODELS.stream().noneMatch(f.name().toLowerCase(Locale.ROOT)::contains))
        .toList();
  }

  private Optional<HubFile> any() {
    return models().stream().filter(GgufChoice::isFirstShard).findFirst();
  }

  private Optional<HubFile> first(String type) {
    Pattern asked = Pattern.compile(Pattern.quote(type) + "[.-]", Pattern.CASE_INSENSITIVE);
    return models().stream()
        .filter(GgufChoice::isFirstShard)
        .filter(f -> asked.matcher(f.path()).find())
        .findFirst();
  }

  private static boolean isFirstShard(HubFile file) {
    Matcher m = SHARD.matcher(file.name());
    return !m.matches() || Integer.parseInt(m.group("no")) == 1;
  }

  private List<HubFile> shards(HubFile first, HubName name) {
    Matcher m = SHARD.matcher(first.path());
    if (!m.matches()) {
      return List.of(first);
    }
    int count = Integer.parseInt(m.group("count"));
    List<HubFile> all = new ArrayList<>();
    for (int i = 1; i <= Math.min(count, MAX_SHARDS); i++) {
      String path = "%s-%05d-of-%05d.gguf".formatted(m.group("base"), i, count);
      all.add(
          files.stream()
              .filter(f -> f.path().equals(path))
              .findFirst()
              .orElseThrow(() ->
                  new HubException(
                      Kind.NOT_FOUND,
                      "%s is incomplete: there is no %s".formatted(name.repository(), path))));
    }
    return all;
  }

  /** The types that can be asked for, to show. */
  private String types() {
    String all =
        models().stream()
            .filter(GgufChoice::isFirstShard)
            .map(f -> type(f.path()).orElse(f.path()))
            .distinct()
            .collect(Collectors.joining(", "));
    return all.isEmpty() ? "none" : all;
  }

  /**
   * The image encoder of a model.
   *
   * @throws HubException if a type was asked for and there is none of it
   */
  Optional<HubFile> mmproj(HubFile model, PullOptions options) {
    List<HubFile> candidates =
        files.stream()
            .filter(f -> f.path().toLowerCase(Locale.ROOT).contains("mmproj"))
            .filter(f -> model.path().startsWith(f.folder()))
            .toList();
    if (!options.mmproj() || candidates.isEmpty()) {
      return Optional.empty();
    }
    if (options.mmprojType().isPresent()) {
      String wanted = options.mmprojType().get();
      return Optional.of(
          candidates.stream()
              .filter(f -> type(f.path()).map(wanted::equalsIgnoreCase).orElse(false))
              .max(Comparator.comparingInt(f -> f.folder().length()))
              .orElseThrow(() ->
                  new HubException(
                      Kind.CHOICE,
                      "There is no image encoder (mmproj) of type %s; there are: %s"
                          .formatted(
                              wanted,
                              candidates.stream()
                                  .map(HubFile::path)
                                  .collect(Collectors.joining(", "))))));
    }
    int deepest = candidates.stream().mapToInt(f -> f.folder().length()).max().orElse(0);
    int bits = bits(model);
    return candidates.stream()
        .filter(f -> f.folder().length() == deepest)
        .min(Comparator.comparingInt(f -> Math.abs(bits(f) - bits)));
  }

  /** What stands last in the name: {@code Q4_K_M}, {@code F16}. */
  private static Optional<String> type(String path) {
    Matcher shard = SHARD.matcher(path);
    Matcher m = TYPE.matcher(shard.matches() ? shard.group("base") + ".gguf" : path);
    return m.find() ? Optional.of(m.group(1)) : Optional.empty();
  }

  /** 4 of Q4_K_M, 16 of F16 and BF16; 0 where there is no number. */
  private static int bits(HubFile file) {
    String digits =
        type(file.path()).orElse("").replaceFirst("^[^0-9]*", "").replaceFirst("[^0-9].*$", "");
    return digits.isEmpty() || digits.length() > 3 ? 0 : Integer.parseInt(digits);
  }
}
