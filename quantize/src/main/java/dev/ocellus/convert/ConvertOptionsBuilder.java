package dev.ocellus.convert;

import dev.ocellus.convert.ConvertOptions.Encoders;
import dev.ocellus.convert.common.OutputType;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes {@link ConvertOptions}; begins with those that it was made from. */
public final class ConvertOptionsBuilder {
  private boolean text;
  private Encoders mmproj;
  private @Nullable Path output;
  private @Nullable Path outputDirectory;
  private OutputType type;
  private OutputType mmprojType;
  private @Nullable String modelName;
  private @Nullable String preTokenizer;
  private boolean generator;
  private List<Path> adapters;

  ConvertOptionsBuilder(ConvertOptions options) {
    this.text = options.text();
    this.mmproj = options.mmproj();
    this.output = options.output();
    this.outputDirectory = options.outputDirectory();
    this.type = options.type();
    this.mmprojType = options.mmprojType();
    this.modelName = options.modelName();
    this.preTokenizer = options.preTokenizer();
    this.generator = options.generator();
    this.adapters = options.adapters();
  }

  /** Whether to write the language model. */
  public ConvertOptionsBuilder text(boolean value) {
    this.text = value;
    return this;
  }

  /** Whether to write the image encoder: YES fails where there is none. */
  public ConvertOptionsBuilder mmproj(Encoders value) {
    this.mmproj = value;
    return this;
  }

  /**
   * The language model's file, or that of the image encoder where it alone is written; null for a
   * name of the model's own in the output directory.
   */
  public ConvertOptionsBuilder output(@Nullable Path value) {
    this.output = value;
    return this;
  }

  /** Where files without a name of their own go; null for the checkpoint's folder. */
  public ConvertOptionsBuilder outputDirectory(@Nullable Path value) {
    this.outputDirectory = value;
    return this;
  }

  /** Type of the language model's tensors. */
  public ConvertOptionsBuilder type(OutputType value) {
    this.type = value;
    return this;
  }

  /** Type of the image encoder's tensors. */
  public ConvertOptionsBuilder mmprojType(OutputType value) {
    this.mmprojType = value;
    return this;
  }

  /** The name in {@code general.name}, or null to find one. */
  public ConvertOptionsBuilder modelName(@Nullable String value) {
    this.modelName = value;
    return this;
  }

  /** llama.cpp's name for the pre-tokenizer, or null to recognise it. */
  public ConvertOptionsBuilder preTokenizer(@Nullable String value) {
    this.preTokenizer = value;
    return this;
  }

  /** Whether to write what makes images, where the checkpoint has it. */
  public ConvertOptionsBuilder generator(boolean value) {
    this.generator = value;
    return this;
  }

  /** Folders of LoRA adapters to merge, in this order. */
  public ConvertOptionsBuilder adapters(List<Path> value) {
    this.adapters = value;
    return this;
  }

  /** The options. */
  public ConvertOptions build() {
    return new ConvertOptions(
        text,
        mmproj,
        output,
        outputDirectory,
        type,
        mmprojType,
        modelName,
        preTokenizer,
        generator,
        adapters);
  }
}
