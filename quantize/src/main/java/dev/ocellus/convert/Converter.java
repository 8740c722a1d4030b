package dev.ocellus.convert;

import dev.ocellus.Setting;
import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.AdapterFolder;
import dev.ocellus.convert.hf.HfFolder;
import dev.ocellus.convert.model.Converters;
import dev.ocellus.convert.model.LoraAdapter;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.maker.ImageMakers;
import dev.ocellus.pickle.PickleFormatException;
import dev.ocellus.safetensors.SafetensorsFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Converts a checkpoint in HuggingFace's layout to GGUF files: the language model, and the image
 * encoder where there is one, with the names that llama.cpp reads; or a dual encoder, with those of
 * clip.cpp.
 *
 * <pre>{@code
 * Converter.convert(Path.of("Qwen2.5-VL-3B-Instruct"), ConvertOptions.defaults(), ConvertProgress.NONE);
 * }</pre>
 *
 * <p>Everything but the numbers themselves is checked before the first byte is written. Tensors are
 * streamed: memory does not grow with the model. A file appears under its name only when it is
 * whole.
 */
public final class Converter {
  private Converter() {}

  /**
   * Converts a checkpoint.
   *
   * @throws IOException if a file is missing or cannot be read or written
   * @throws ConversionException if the checkpoint is incomplete, damaged, or holds NaN
   * @throws SafetensorsFormatException if one of its files is no safetensors file
   * @throws PickleFormatException if one of its PyTorch files is damaged, or holds more than
   *     tensors
   * @throws dev.ocellus.UnsupportedArchitectureException if its architecture is not known
   * @throws java.util.concurrent.CancellationException if {@code progress} ended it
   */
  public static ConvertReport convert(Path folder, ConvertOptions options, ConvertProgress progress)
      throws IOException {
    try (Adapted opened = Adapted.open(folder, options.adapters())) {
      HfFolder checkpoint = opened.folder();
      String name =
          options.modelName() != null ? options.modelName() : GeneralMetadata.nameOf(checkpoint);
      Context context = Context.of(checkpoint, name, options.preTokenizer());
      List<PlannedFile> files = plan(context, options);
      List<ConvertReport.ConvertedFile> written = new ArrayList<>();
      for (PlannedFile file : files) {
        written.add(file.write(progress));
      }
      return new ConvertReport(written, List.copyOf(context.warnings()));
    }
  }

  /** A checkpoint with the adapters that are merged into it. */
  private record Adapted(HfFolder folder, List<AdapterFolder> adapters) implements AutoCloseable {
    static Adapted open(Path folder, List<Path> adapters) throws IOException {
      HfFolder checkpoint = HfFolder.open(folder);
      List<AdapterFolder> opened = new ArrayList<>();
      boolean ok = false;
      try {
        for (Path path : adapters) {
          opened.add(AdapterFolder.open(path));
          checkpoint = checkpoint.with(opened.getLast());
        }
        ok = true;
        return new Adapted(checkpoint, opened);
      } finally {
        if (!ok) {
          new Adapted(checkpoint, opened).close();
        }
      }
    }

    @Override
    public void close() {
      adapters.forEach(AdapterFolder::close);
      folder.close();
    }
  }

  /** Whether a path is the folder of a checkpoint, for {@link #convert}. */
  public static boolean isCheckpoint(Path path) {
    return HfFolder.isOne(path);
  }

  /**
   * Refuses a checkpoint that is no dual encoder, before anything is converted.
   *
   * @throws IOException if a file is missing or cannot be read
   * @throws dev.ocellus.UnsupportedArchitectureException if it is another kind of model, or a dual
   *     encoder that is not known
   */
  public static void requireDualEncoder(Path folder) throws IOException {
    try (HfFolder checkpoint = HfFolder.openConfiguration(folder)) {
      Converters.requireDual(checkpoint.config());
    }
  }

  /**
   * Refuses a checkpoint that does not match images and texts, before anything is converted.
   *
   * @throws IOException if a file is missing or cannot be read
   * @throws dev.ocellus.UnsupportedArchitectureException if it is another kind of model
   */
  public static void requireMatcher(Path folder) throws IOException {
    try (HfFolder checkpoint = HfFolder.openConfiguration(folder)) {
      Converters.requireMatcher(checkpoint.config());
    }
  }

  /**
   * Whether a checkpoint is of a class whose texts attend to images, such as BLIP, which becomes
   * one file.
   *
   * @throws IOException if its configuration is missing or cannot be read
   */
  public static boolean isOneFile(Path folder) throws IOException {
    try (HfFolder checkpoint = HfFolder.openConfiguration(folder)) {
      return Converters.isFusion(checkpoint.config());
    }
  }

  /**
   * Whether a checkpoint is of a class whose last token may speak for texts and images, such as
   * Qwen3-VL-Embedding; it becomes a text model and an image encoder as one for chats does.
   *
   * @throws IOException if its configuration is missing or cannot be read
   */
  public static boolean mayEmbed(Path folder) throws IOException {
    if (!HfFolder.isOne(folder)) {
      return false;
    }
    try (HfFolder checkpoint = HfFolder.openConfiguration(folder)) {
      return checkpoint.config().modelType().startsWith("qwen3_vl");
    }
  }

  /** Whether a folder holds an adapter, for {@link #convertAdapter}. */
  public static boolean isAdapter(Path folder) {
    return AdapterFolder.isOne(folder);
  }

  /**
   * Converts a LoRA adapter in PEFT's layout. AUTO is F32, as adapters are small.
   *
   * @param base the folder of the base model, of which only the configuration is read; null to take
   *     the one that the adapter names, if it is a folder
   * @throws IOException if a file is missing or cannot be read or written
   * @throws ConversionException if the adapter is incomplete, damaged, or of another kind
   * @throws SafetensorsFormatException if its tensors are in no safetensors file
   * @throws PickleFormatException if its PyTorch file is damaged, or holds more than tensors
   * @throws dev.ocellus.UnsupportedArchitectureException if the base's architecture is not known
   * @throws java.util.concurrent.CancellationException if {@code progress} ended it
   */
  public static ConvertReport convertAdapter(
      Path folder, @Nullable Path base, ConvertOptions options, ConvertProgress progress)
      throws IOException {
    try (AdapterFolder adapter = AdapterFolder.open(folder);
        HfFolder model = HfFolder.openConfiguration(base(adapter, base))) {
      String name =
          options.modelName() != null ? options.modelName() : HfFolder.nameOf(adapter.directory());
      Context context = Context.of(model, name, null);
      OutputType type = options.type() == OutputType.AUTO ? OutputType.F32 : options.type();
      PlannedFile file = PlannedFile.of(context, LoraAdapter.of(context, adapter), "adapter", type);
      Path place = place(context, adapter.directory(), options, file, "");
      ConvertReport.ConvertedFile written = file.at(place).write(progress);
      return new ConvertReport(List.of(written), List.copyOf(context.warnings()));
    }
  }

  private static Path base(AdapterFolder adapter, @Nullable Path given) {
    if (given != null) {
      return given;
    }
    String named = adapter.config().findString("base_model_name_or_path").orElse("");
    if (!named.isEmpty() && named.indexOf('\0') < 0) {
      for (Path p : new Path[] {Path.of(named), adapter.directory().resolveSibling(named)}) {
        if (HfFolder.isOne(p)) {
          return p;
        }
      }
    }
    throw new ConversionException(
            "%s: the configuration of the base model '%s' is needed; give its folder."
                .formatted(adapter.directory(), named))
        .about(Setting.BASE_MODEL);
  }

  private static List<PlannedFile> plan(Context context, ConvertOptions options)
      throws IOException {
    Optional<ModelConverter> dual = Converters.dual(context);
    if (dual.isPresent()) {
      return oneFile(context, dual.get(), "dual", options);
    }
    Optional<ModelConverter> fusion = Converters.fusion(context);
    if (fusion.isPresent()) {
      return oneFile(context, fusion.get(), "fusion", options);
    }
    Optional<ModelConverter> generator = ImageMakers.find(context);
    if (generator.isPresent() && ImageMakers.isAlone(context)) {
      return oneFile(context, generator.get(), "generator", options);
    }
    List<PlannedFile> files = new ArrayList<>();
    // an unknown family is named as such, before a tensor of it is that the text has no place for
    Optional<ModelConverter> vision =
        options.mmproj() == Encoders.NO ? Optional.empty() : Converters.vision(context);
    if (options.text()) {
      PlannedFile file = PlannedFile.of(context, Converters.text(context), "text", options.type());
      files.add(file.at(place(context, context.folder().directory(), options, file, "")));
    }
    if (options.mmproj() != Encoders.NO) {
      if (vision.isPresent()) {
        PlannedFile file = PlannedFile.of(context, vision.get(), "mmproj", options.mmprojType());
        files.add(file.at(place(context, context.folder().directory(), options, file, "mmproj-")));
      } else if (options.mmproj() == Encoders.YES) {
        throw new ConversionException(
            "%s: no vision_config, so there is no image encoder to convert."
                .formatted(context.folder().config().file()));
      }
    }
    if (generator.isPresent() && options.generator() && options.mmproj() != Encoders.YES) {
      PlannedFile file = PlannedFile.of(context, generator.get(), "generator", options.type());
      files.add(file.at(place(context, context.folder().directory(), options, file, "gen-")));
    } else if (files.isEmpty() && options.generator() && options.mmproj() == Encoders.NO) {
      throw new ConversionException(
          "%s: nothing in this checkpoint makes images; it is of class %s (model_type '%s')."
              .formatted(
                  context.folder().config().file(),
                  context.folder().config().architecture().orElse("that config.json does not name"),
                  context.folder().config().modelType()));
    }
    return files;
  }

  /** All parts of it stand in one file, which counts as the one of text. */
  private static List<PlannedFile> oneFile(
      Context context, ModelConverter converter, String kind, ConvertOptions options)
      throws IOException {
    if (options.mmproj() == Encoders.YES) {
      throw new ConversionException(
          "%s: all parts of this model stand in one file; there is no image encoder of a chat to convert."
              .formatted(context.folder().config().file()));
    }
    boolean generates = kind.equals("generator") && options.generator();
    if (!options.text() && !generates) {
      return List.of();
    }
    PlannedFile file = PlannedFile.of(context, converter, kind, options.type());
    return List.of(file.at(place(context, context.folder().directory(), options, file, "")));
  }

  /** The name that was given, or one of the model; an image encoder's begins with "mmproj". */
  private static Path place(
      Context context, Path checkpoint, ConvertOptions options, PlannedFile file, String beginning)
      throws IOException {
    Path output = options.output();
    Path path;
    if (output != null) {
      String name = output.getFileName().toString();
      path =
          beginning.isEmpty()
                  || name.contains("mmproj")
                  || (beginning.equals("gen-") && !options.text())
              ? output
              : output.resolveSibling(beginning + name);
    } else {
      Path directory = options.outputDirectory() != null ? options.outputDirectory() : checkpoint;
      String model = context.modelName().strip().replaceAll("[^\\p{L}\\p{N}._+-]+", "-");
      path =
          directory.resolve("%s%s-%s.gguf".formatted(beginning, model, file.outputType().name()));
    }
    requireReplaceable(path);
    return path;
  }

  /** A mistyped name must not cost a file that is something else. */
  private static void requireReplaceable(Path path) throws IOException {
    if (!Files.isRegularFile(path) || Files.size(path) == 0) {
      return;
    }
    byte[] start;
    try (var in = Files.newInputStream(path)) {
      start = in.readNBytes(4);
    }
    if (!new String(start, java.nio.charset.StandardCharsets.ISO_8859_1).equals("GGUF")) {
      throw new ConversionException(
          "%s exists and is no GGUF file; give another name for the output.".formatted(path));
    }
  }
}
