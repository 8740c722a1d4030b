package dev.ocellus.convert;

import dev.ocellus.convert.common.ConversionException;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.convert.hf.LazyTensor;
import dev.ocellus.convert.model.base.Context;
import dev.ocellus.convert.model.base.ModelConverter;
import dev.ocellus.convert.model.base.TargetTensor;
import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.gguf.TensorType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A file that is to be written: its metadata are made and checked, its tensors are known. */
final class PlannedFile {
  private static final int QUANTIZATION_VERSION = 2; // GGML_QNT_VERSION of ggml.h
  private static final int MAX_NAME_BYTES = 63;

  private final ModelConverter converter;
  private final String kind;
  private final OutputType outputType;
  private final GgufWriter metadata;
  private final List<TargetTensor> tensors;
  private final @Nullable Path path;

  private PlannedFile(
      ModelConverter converter,
      String kind,
      OutputType outputType,
      GgufWriter metadata,
      List<TargetTensor> tensors,
      @Nullable Path path) {
    this.converter = converter;
    this.kind = kind;
    this.outputType = outputType;
    this.metadata = metadata;
    this.tensors = tensors;
    this.path = path;
  }

  static PlannedFile of(Context context, ModelConverter converter, String kind, OutputType type)
      throws IOException {
    List<TargetTensor> tensors = converter.tensors();
    tensors.forEach(PlannedFile::check);
    OutputType outputType = type == OutputType.AUTO ? own(tensors, converter.keepsF32()) : type;
    GgufWriter out = new GgufWriter();
    out.string("general.architecture", converter.architecture());
    boolean legacy = converter.generalType().isEmpty();
    if (!legacy) {
      out.string("general.type", converter.generalType());
    }
    long experts = experts(tensors);
    long ofOthers = experts == 0 ? 0 : ofOtherExperts(tensors);
    GeneralMetadata.write(
        out, context, legacy ? -1 : converter.parameterCount(tensors) - ofOthers, experts);
    converter.parameters(out, outputType);
    if (!legacy) {
      out.u32("general.quantization_version", QUANTIZATION_VERSION);
    }
    converter.tokenizer(out);
    return new PlannedFile(converter, kind, outputType, out, tensors, null);
  }

  PlannedFile at(Path newPath) {
    return new PlannedFile(converter, kind, outputType, metadata, tensors, newPath);
  }

  OutputType outputType() {
    return outputType;
  }

  /** What the first matrix of the checkpoint is, as configurations do not always tell the truth. */
  private static OutputType own(List<TargetTensor> tensors, boolean keepsF32) {
    for (TargetTensor t : tensors) {
      if (t.data().rank() >= 2) {
        switch (t.data().type()) {
          case BF16 -> {
            return OutputType.BF16;
          }
          case F16 -> {
            return OutputType.F16;
          }
          default -> {}
        }
      }
    }
    return keepsF32 ? OutputType.F32 : OutputType.F16;
  }

  private static void check(TargetTensor t) {
    long[] shape = t.data().shape();
    boolean ok = shape.length <= 4;
    for (long d : shape) {
      ok &= d >= 1;
    }
    if (!ok || t.name().length() > MAX_NAME_BYTES) {
      throw new ConversionException(
          "Tensor %s: expected one to four sizes of at least 1, and a name of at most %d characters, found '%s'. The checkpoint is damaged."
              .formatted(t.data(), MAX_NAME_BYTES, t.name()));
    }
  }

  /** How many experts the tensors of such hold in the mean; 0 where there are none. */
  private static long experts(List<TargetTensor> tensors) {
    return (long)
        tensors.stream()
            .filter(PlannedFile::isOfExperts)
            .mapToLong(t -> t.data().size(t.data().rank() - 3))
            .average()
            .orElse(0);
  }

  /** Parameters of all experts but one. */
  private static long ofOtherExperts(List<TargetTensor> tensors) {
    return tensors.stream()
        .filter(PlannedFile::isOfExperts)
        .mapToLong(t -> t.data().count() - t.data().count() / t.data().size(0))
        .sum();
  }

  private static boolean isOfExperts(TargetTensor t) {
    return t.name().contains("_exps.") && t.data().rank() >= 3;
  }

  private static long parameters(List<TargetTensor> tensors) {
    return tensors.stream().mapToLong(t -> t.data().count()).sum();
  }

  ConvertReport.ConvertedFile write(ConvertProgress progress) throws IOException {
    Path to = java.util.Objects.requireNonNull(path, "path");
    long all = Math.max(1, parameters(tensors));
    AtomicLong done = new AtomicLong();
    Encoder encoder =
        new Encoder(n -> {
          if (!progress.report(to, (double) done.addAndGet(n) / all)) {
            throw new CancellationException("The conversion was cancelled.");
          }
        });
    Map<TensorType, Integer> types = new EnumMap<>(TensorType.class);
    for (TargetTensor t : tensors) {
      TensorType type = converter.typeOf(t, outputType);
      types.merge(type, 1, Integer::sum);
      metadata.tensor(t.name(), type, encoder.source(t.data(), type), ggmlShape(t.data()));
    }
    metadata.write(to);
    return new ConvertReport.ConvertedFile(
        to, kind, converter.architecture(), outputType, all, Files.size(to), types);
  }

  /** Innermost first; a number alone is a vector of one. */
  private static long[] ggmlShape(LazyTensor tensor) {
    long[] shape = tensor.shape();
    if (shape.length == 0) {
      return new long[] {1};
    }
    long[] reversed = Arrays.copyOf(shape, shape.length);
    for (int i = 0; i < shape.length; i++) {
      reversed[i] = shape[shape.length - 1 - i];
    }
    return reversed;
  }
}
