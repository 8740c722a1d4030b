package dev.ocellus.convert;

import dev.ocellus.convert.common.OutputType;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What to make of a checkpoint.
 *
 * @param text whether to write the language model
 * @param mmproj whether to write the image encoder: YES fails where there is none
 * @param output the language model's file, or that of the image encoder where it alone is written;
 *     null for a name of the model's own in {@code outputDirectory}
 * @param outputDirectory where files without a name of their own go; null for the checkpoint's
 *     folder
 * @param type type of the language model's tensors
 * @param mmprojType type of the image encoder's tensors
 * @param modelName the name in {@code general.name}, or null to find one
 * @param preTokenizer llama.cpp's name for the pre-tokenizer, or null to recognise it
 * @param generator whether to write what makes images, where the checkpoint has it
 * @param adapters folders of LoRA adapters that are merged into the checkpoint first, in this
 *     order, its image encoder included
 */
public record ConvertOptions(
    boolean text,
    Encoders mmproj,
    @Nullable Path output,
    @Nullable Path outputDirectory,
    OutputType type,
    OutputType mmprojType,
    @Nullable String modelName,
    @Nullable String preTokenizer,
    boolean generator,
    List<Path> adapters) {
  public ConvertOptions {
    adapters = List.copyOf(adapters);
  }

  /** Whether an image encoder is written. */
  public enum Encoders {
    YES,
    NO,
    IF_THERE
  }

  /** Both files beside the checkpoint, in its own types. */
  public static ConvertOptions defaults() {
    return new ConvertOptions(
        true,
        Encoders.IF_THERE,
        null,
        null,
        OutputType.AUTO,
        OutputType.AUTO,
        null,
        null,
        true,
        List.of());
  }

  /** A builder that begins with these options. */
  public ConvertOptionsBuilder toBuilder() {
    return new ConvertOptionsBuilder(this);
  }

  /** Another choice of files. */
  public ConvertOptions withParts(boolean newText, Encoders newMmproj) {
    return toBuilder().text(newText).mmproj(newMmproj).build();
  }

  /** Another place for the files. */
  public ConvertOptions withOutput(@Nullable Path newOutput, @Nullable Path newDirectory) {
    return toBuilder().output(newOutput).outputDirectory(newDirectory).build();
  }

  /** Other types. */
  public ConvertOptions withTypes(OutputType newType, OutputType newMmprojType) {
    return toBuilder().type(newType).mmprojType(newMmprojType).build();
  }

  /** Another name of the model. */
  public ConvertOptions withModelName(@Nullable String newName) {
    return toBuilder().modelName(newName).build();
  }

  /** A pre-tokenizer by force. */
  public ConvertOptions withPreTokenizer(@Nullable String newPre) {
    return toBuilder().preTokenizer(newPre).build();
  }

  /** Whether to write what makes images. */
  public ConvertOptions withGenerator(boolean newGenerator) {
    return toBuilder().generator(newGenerator).build();
  }

  /** LoRA adapters to merge, in their order. */
  public ConvertOptions withAdapters(List<Path> newAdapters) {
    return toBuilder().adapters(newAdapters).build();
  }
}
