package dev.ocellus.cli.model;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.Recipe;
import dev.ocellus.quantize.TypeOverride;
import dev.ocellus.quantize.file.MetadataText;
import dev.ocellus.quantize.imatrix.Importance;
import dev.ocellus.quantize.imatrix.ImportanceMatrix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** llama-quantize's options. */
final class QuantizeMixin {
  @Option(
      names = "--imatrix",
      paramLabel = "FILE",
      description = "Importance matrix, of 'ocellus imatrix' or llama-imatrix.")
  @Nullable String imatrix;

  @Option(
      names = "--include-weights",
      paramLabel = "NAME",
      description = "Use the importance only of tensors with NAME in their name (repeatable).")
  List<String> include = new ArrayList<>();

  @Option(
      names = "--exclude-weights",
      paramLabel = "NAME",
      description = "Do not use the importance of tensors with NAME in their name (repeatable).")
  List<String> exclude = new ArrayList<>();

  @Option(
      names = "--tensor-type",
      paramLabel = "PATTERN=TYPE",
      description =
          "A type for all tensors whose name the regular expression is found in (repeatable).")
  List<String> tensorTypes = new ArrayList<>();

  @Option(
      names = "--tensor-type-file",
      paramLabel = "FILE",
      description = "The same, from a file: separated by spaces or lines.")
  @Nullable Path tensorTypeFile;

  @Option(
      names = "--output-tensor-type",
      paramLabel = "TYPE",
      description = "Type of output.weight.")
  @Nullable String outputType;

  @Option(
      names = "--token-embedding-type",
      paramLabel = "TYPE",
      description = "Type of the token embeddings.")
  @Nullable String embeddingType;

  @Option(names = "--leave-output-tensor", description = "Leave output.weight as it is.")
  boolean leaveOutput;

  @Option(names = "--pure", description = "The recipe's base type for all tensors.")
  boolean pure;

  @Option(
      names = "--allow-requantize",
      description = "Also quantize what is quantized already, which loses more.")
  boolean allowRequantize;

  @Option(
      names = "--keep-split",
      description = "Write as many files as the input has, named OUT-00001-of-0000N.gguf.")
  boolean keepSplit;

  @Option(
      names = "--override-kv",
      paramLabel = "KEY=TYPE:VALUE",
      description = "Set metadata of the output; int, float, bool or str (repeatable).")
  List<String> overrideKv = new ArrayList<>();

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      description = "Threads. Default: all processors.")
  @Range(min = 1, max = Range.MAX_THREADS)
  @Nullable Integer threads;

  QuantizeOptions options(OcellusCommand command, Recipe recipe, int nThreads) throws IOException {
    Importance importance = command.checked(this::selection) ? importance() : null;
    List<String> patterns = new ArrayList<>(tensorTypes);
    if (tensorTypeFile != null) {
      for (String word : TextInput.read(tensorTypeFile).split("\\s+")) {
        if (!word.isEmpty()) {
          patterns.add(word);
        }
      }
    }
    return command.checked(() ->
        QuantizeOptions.builder(recipe)
            .importance(importance)
            .overrides(patterns.stream().map(TypeOverride::parse).toList())
            .outputTensorType(outputType == null ? null : TypeOverride.tensorType(outputType))
            .tokenEmbeddingType(
                embeddingType == null ? null : TypeOverride.tensorType(embeddingType))
            .leaveOutputTensor(leaveOutput)
            .pure(pure)
            .allowRequantize(allowRequantize)
            .keepSplit(keepSplit)
            .metadata(metadata())
            .threads(nThreads)
            .build());
  }

  private boolean selection() {
    if (!include.isEmpty() && !exclude.isEmpty()) {
      throw new IllegalArgumentException(
          "--include-weights and --exclude-weights exclude each other");
    }
    return imatrix != null;
  }

  private @Nullable Importance importance() throws IOException {
    if (imatrix == null) {
      return null;
    }
    Importance all = ImportanceMatrix.read(Path.of(imatrix)).importance(imatrix);
    Importance some =
        !exclude.isEmpty()
            ? all.excluding(exclude)
            : include.isEmpty() ? all : all.including(include);
    return some.tensors().isEmpty() ? null : some;
  }

  private Map<String, GgufValue> metadata() {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (String text : overrideKv) {
      MetadataText.Entry entry = MetadataText.parseOverride(text);
      values.remove(entry.key());
      values.put(entry.key(), entry.value());
    }
    return values;
  }
}
