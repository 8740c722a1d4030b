package dev.ocellus.cli.search;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ImageSource;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.cli.terminal.TextInput;
import dev.ocellus.vlm.embedding.Classification;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.embedding.ZeroShotClassifier;
import dev.ocellus.vlm.image.RgbImage;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How well labels fit an image. */
@Command(
    name = "classify",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ClassifyCommand.HEADER,
    description = {
      "Labels may be any texts; the model was not trained on them. They are taken as they are, or set into templates.",
      "Probabilities are those that the model was trained with: of all labels together 1 (CLIP), or each by itself (SigLIP)."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus classify -m clip.gguf --image a.png --label cat dog --template \"a photo of a {}\"",
      "  ocellus classify -m clip-vit-base-patch32 --image a.png --labels animals.txt --json",
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
public final class ClassifyCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER =
      "Classifies an image zero-shot with a dual encoder such as CLIP.";

  @Option(
      names = "--image",
      paramLabel = "FILE",
      required = true,
      description = "The image: a path, a file: URL, or - for standard input.")
  @Nullable ImageSource image;

  @Option(names = "--label", paramLabel = "TEXT", arity = "1..*", description = "Labels.")
  List<String> labels = new ArrayList<>();

  @Option(
      names = "--labels",
      paramLabel = "FILE",
      description = "A file with a label a line, after those of --label; - for standard input.")
  @Nullable String labelFile;

  @Option(
      names = "--template",
      paramLabel = "TEXT",
      description =
          "A text in which {} stands for the label; of several the vectors are averaged. Default: the label alone.")
  List<String> templates = new ArrayList<>();

  @Mixin DualMixin model = new DualMixin();

  public ClassifyCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    List<String> all = new ArrayList<>(labels);
    if (labelFile != null) {
      TextInput.read(io(), labelFile).lines().filter(l -> !l.isBlank()).forEach(all::add);
    }
    if (all.isEmpty()) {
      throw usage("no labels; give --label or --labels");
    }
    checked(() -> ZeroShotClassifier.checked(templates));
    RgbImage shown = Objects.requireNonNull(image).read(io()).image();
    try (DualEncoder encoder = model.open(this)) {
      ZeroShotClassifier classifier = encoder.classifier(all, templates);
      int[] nDropped = classifier.nDropped();
      noteCut(classifier.texts(), encoder.contextLength(), i -> nDropped[i]);
      Classification found = classifier.classify(shown);
      if (printsJson()) {
        printJson(json(encoder, found));
      } else {
        print(found);
      }
    }
    return ExitCode.OK;
  }

  private ObjectNode json(DualEncoder encoder, Classification found) {
    ObjectNode root = Json.object();
    root.put("image", String.valueOf(image));
    var names = root.putArray("labels");
    found.labels().forEach(names::add);
    root.set("probabilities", Json.array(found.probabilities()));
    root.set("logits", Json.array(found.logits()));
    root.put("logit_scale", encoder.logitScale());
    root.put("logit_bias", encoder.logitBias());
    return root;
  }

  private void print(Classification found) {
    float[] probabilities = found.probabilities();
    for (int i : found.ranking()) {
      io().out()
          .printf(Locale.ROOT, "%6.2f %%  %s%n", probabilities[i] * 100, found.labels().get(i));
    }
  }
}
