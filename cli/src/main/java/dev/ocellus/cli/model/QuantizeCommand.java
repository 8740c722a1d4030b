package dev.ocellus.cli.model;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.TypeNames;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Interrupt;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.compute.CancellationFlag;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.TensorType;
import dev.ocellus.quantize.PlannedTensor;
import dev.ocellus.quantize.QuantizeOptions;
import dev.ocellus.quantize.QuantizePlan;
import dev.ocellus.quantize.Quantizer;
import dev.ocellus.quantize.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Makes a model smaller. */
@Command(
    name = "quantize",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = QuantizeCommand.HEADER,
    customSynopsis = {
      "ocellus quantize [OPTIONS] IN.gguf [OUT.gguf] TYPE [THREADS]",
      "       ocellus quantize [OPTIONS] IN.gguf [OUT.gguf] --target-size SIZE | --target-bpw BITS"
    },
    description = {
      "Arguments, options and bytes are those of llama-quantize. Works for text models, image encoders and other GGUF files.",
      "TYPE is a recipe such as Q4_K_M or Q8_0 (all with --list-types), or its number."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus quantize model-f16.gguf model-Q4_K_M.gguf Q4_K_M",
      "  ocellus quantize --imatrix imatrix.gguf model-f16.gguf model-IQ2_M.gguf IQ2_M",
      "  ocellus quantize --tensor-type ffn_down=q6_K mmproj-f16.gguf mmproj-Q8_0.gguf Q8_0",
      "  ocellus quantize --imatrix imatrix.gguf --target-size 3.2G model-f16.gguf small.gguf",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class QuantizeCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER = "Quantizes a GGUF file.";

  @Parameters(
      paramLabel = "IN.gguf [OUT.gguf] TYPE [THREADS]",
      arity = "0..4",
      completionCandidates = TypeNames.OfRecipes.class,
      description =
          "Input, output (default: ggml-model-TYPE.gguf beside the input), recipe, threads (default: all).")
  List<String> arguments = new ArrayList<>();

  @Mixin QuantizeMixin choices = new QuantizeMixin();

  @Mixin TargetMixin target = new TargetMixin();

  @Option(names = "--dry-run", description = "Only print the type that each tensor would get.")
  boolean dryRun;

  @Option(names = "--list-types", description = "List the recipes.")
  boolean listTypes;

  public QuantizeCommand(Io io) {
    super(io);
  }

  private record Files(Path in, @Nullable Path out, @Nullable Recipe recipe, int nThreads) {}

  @Override
  protected int run() throws IOException {
    if (listTypes) {
      for (Recipe r : Recipe.values()) {
        io().out().printf(Locale.ROOT, "%4d  %-10s %s%n", r.fileType(), r, r.description());
      }
      return ExitCode.OK;
    }
    Files files = checked(this::files);
    Recipe recipe = files.recipe() == null ? Recipe.Q8_0 : files.recipe();
    try (GgufFile file = GgufFile.open(files.in());
        var interrupt = new Interrupt();
        var progress = progress()) {
      var flag = new CancellationFlag();
      interrupt.onInterrupt(flag::cancel);
      QuantizeOptions options = choices.options(this, recipe, files.nThreads());
      QuantizePlan plan =
          target.isGiven()
              ? target.plan(this, file, options, progress, flag)
              : Quantizer.plan(file, options);
      tellFallbacks(plan);
      List<Path> written = List.of();
      if (!dryRun) {
        Path out = files.out() != null ? files.out() : defaultOutput(files.in(), recipe);
        written =
            Quantizer.run(
                file,
                plan,
                out,
                (i, n, t) -> progress.report("quantizing " + t.name(), (double) i / Math.max(1, n)),
                flag);
        progress.done();
      } else if (plan.lacksImportance()) {
        note("this will need an importance matrix (--imatrix)");
      }
      if (printsJson()) {
        printJson(json(files.in(), written, plan));
      } else {
        print(plan);
      }
    }
    return ExitCode.OK;
  }

  /** One note for all tensors with the same trouble; there may be hundreds. */
  private void tellFallbacks(QuantizePlan plan) {
    Map<String, List<String>> names = new LinkedHashMap<>();
    for (PlannedTensor t : plan.fallbacks()) {
      String trouble =
          "rows of %d do not fill blocks of %s, %s instead"
              .formatted(t.tensor().dim(0), typeName(t.unfit()), t.type().ggmlName());
      names.computeIfAbsent(trouble, k -> new ArrayList<>()).add(t.name());
    }
    names.forEach((trouble, of) ->
        note(
            of.size() == 1
                ? of.getFirst() + ": " + trouble
                : "%s and %d more: %s".formatted(of.getFirst(), of.size() - 1, trouble)));
  }

  /** llama-quantize's rules: the output may be missing, the threads too. */
  private Files files() {
    List<String> a = new ArrayList<>(arguments);
    if (a.isEmpty()) {
      throw new IllegalArgumentException(
          "missing arguments: expected IN.gguf [OUT.gguf] TYPE [THREADS]");
    }
    Path in = Path.of(a.removeFirst());
    Path out = null;
    if (target.isGiven()) {
      if (a.size() > 1 || (a.isEmpty() && !dryRun)) {
        throw new IllegalArgumentException(
            "with a target size: expected IN.gguf OUT.gguf and no TYPE, found %s"
                .formatted(arguments));
      }
      return new Files(in, a.isEmpty() ? null : Path.of(a.getFirst()), null, threads(null));
    }
    if (a.isEmpty()) {
      throw new IllegalArgumentException("missing TYPE, such as Q4_K_M (--list-types)");
    }
    if (!isRecipe(a.getFirst())) {
      out = Path.of(a.removeFirst());
    }
    if (a.isEmpty()) {
      throw new IllegalArgumentException("missing TYPE, such as Q4_K_M (--list-types)");
    }
    Recipe recipe = Recipe.parse(a.removeFirst());
    return new Files(in, out, recipe, threads(a.isEmpty() ? null : a.getFirst()));
  }

  private int threads(@Nullable String text) {
    if (text == null) {
      int processors = Runtime.getRuntime().availableProcessors();
      return choices.threads != null
          ? choices.threads
          : Math.clamp(processors, 1, Range.MAX_THREADS);
    }
    try {
      int n = Integer.parseInt(text);
      if (n >= 1 && n <= Range.MAX_THREADS) {
        return n;
      }
    } catch (NumberFormatException e) {
      throw wrongThreads(text, e);
    }
    throw wrongThreads(text, null);
  }

  private static IllegalArgumentException wrongThreads(
      String text, @Nullable NumberFormatException cause) {
    return new IllegalArgumentException(
        "THREADS: expected 1 to %d, found %s".formatted(Range.MAX_THREADS, text), cause);
  }

  private static boolean isRecipe(String text) {
    try {
      Recipe.parse(text);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private Path defaultOutput(Path in, Recipe recipe) {
    return in.resolveSibling("ggml-model-" + recipe + (choices.keepSplit ? "" : ".gguf"));
  }

  private void print(QuantizePlan plan) {
    if (dryRun || isVerbose()) {
      for (PlannedTensor t : plan.tensors()) {
        io().out()
            .printf(
                Locale.ROOT,
                "%-36s %-22s %8s -> %-8s %10.3f MiB -> %10.3f MiB%n",
                t.name(),
                t.tensor().shape(),
                t.tensor().type().ggmlName(),
                t.type().ggmlName(),
                mib(t.tensor().byteSize()),
                mib(t.bytes()));
      }
    }
    Map<String, long[]> byType = byType(plan);
    byType.forEach((type, sums) ->
        io().out()
            .printf(Locale.ROOT, "%8s %5d tensors %10.3f MiB%n", type, sums[0], mib(sums[1])));
    io().out()
        .printf(
            Locale.ROOT,
            "%10.3f MiB (%.2f bits a weight) -> %.3f MiB (%.2f)%n",
            mib(plan.bytesBefore()),
            8.0 * plan.bytesBefore() / Math.max(1, plan.nElements()),
            mib(plan.bytesAfter()),
            plan.bitsPerWeight());
  }

  private static Map<String, long[]> byType(QuantizePlan plan) {
    Map<String, long[]> byType = new TreeMap<>();
    for (PlannedTensor t : plan.tensors()) {
      long[] sums = byType.computeIfAbsent(t.type().ggmlName(), type -> new long[2]);
      sums[0]++;
      sums[1] += t.bytes();
    }
    return byType;
  }

  private static ObjectNode json(Path in, List<Path> written, QuantizePlan plan) {
    ObjectNode json = Json.object();
    json.put("input", in.toString());
    ArrayNode outputs = json.putArray("outputs");
    written.forEach(path -> outputs.add(path.toString()));
    json.put("type", plan.options().recipe().toString());
    json.put("bytes_before", plan.bytesBefore());
    json.put("bytes", plan.bytesAfter());
    json.put("bits_per_weight", plan.bitsPerWeight());
    json.put("lacks_importance", plan.lacksImportance());
    ArrayNode tensors = json.putArray("tensors");
    for (PlannedTensor t : plan.tensors()) {
      ObjectNode node = tensors.addObject();
      node.put("name", t.name());
      node.putPOJO("shape", t.tensor().shape());
      node.put("from", t.tensor().type().ggmlName());
      node.put("type", t.type().ggmlName());
      node.put("bytes", t.bytes());
      if (t.unfit() != null) {
        node.put("instead_of", typeName(t.unfit()));
      }
    }
    return json;
  }

  private static String typeName(@Nullable TensorType type) {
    return type == null ? "" : type.ggmlName();
  }

  private static double mib(long bytes) {
    return bytes / 1024.0 / 1024.0;
  }
}
