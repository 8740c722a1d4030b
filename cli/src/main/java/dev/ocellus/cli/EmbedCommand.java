package dev.ocellus.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.vlm.embedding.DualEncoder;
import dev.ocellus.vlm.npy.NpyFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Images and texts to vectors of one space. */
@Command(
    name = "embed",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = "Embeds images and texts with a dual encoder such as CLIP.",
    description = {
      "Vectors of images first, then those of texts, each in the order given. Their product is the cosine: near 1 where image and text belong together.",
      "Prints a JSON object a line, with --json one object for all; with -o an .npy file of float32, [vectors, dimension]."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus embed -m clip-vit-base-patch32 --image a.png b.jpg --text \"a dog\" --json",
      "  ocellus embed -m clip.gguf --image photos/*.jpg -o photos.npy",
      "",
      "Exit codes: 0 all written, 1 failed, 2 wrong command line, 130 Ctrl-C."
    })
final class EmbedCommand extends OcellusCommand {
  @Option(
      names = "--image",
      paramLabel = "FILE",
      arity = "1..*",
      description = "Images: paths, file: URLs, or - for standard input.")
  List<ImageSource> images = new ArrayList<>();

  @Option(names = "--text", paramLabel = "TEXT", arity = "1..*", description = "Texts.")
  List<String> texts = new ArrayList<>();

  @Option(
      names = {"-o", "--out"},
      paramLabel = "FILE",
      description = "Write the vectors to an .npy file instead.")
  @Nullable Path out;

  @Option(
      names = "--no-normalize",
      description = "Vectors as the projection gives them, not of length 1.")
  boolean noNormalize;

  @Mixin DualMixin model = new DualMixin();

  EmbedCommand(Io io) {
    super(io);
  }

  @Override
  int run() throws IOException {
    if (images.isEmpty() && texts.isEmpty()) {
      throw usage("nothing to embed; give --image or --text");
    }
    try (var interrupt = new Interrupt();
        var progress = progress();
        DualEncoder encoder = model.open(this)) {
      DualMixin.noteCut(this, encoder, texts);
      List<float[]> vectors = new ArrayList<>();
      for (int i = 0; i < images.size(); i++) {
        interrupt.check();
        progress.start("encoding image %d of %d".formatted(i + 1, images.size()));
        vectors.add(image(encoder, images.get(i)));
      }
      vectors.addAll(noNormalize ? encoder.textFeatures(texts) : encoder.embedTexts(texts));
      progress.done();
      write(encoder, vectors);
    }
    return ExitCode.OK;
  }

  private float[] image(DualEncoder encoder, ImageSource source) throws IOException {
    var image = source.read(io()).image();
    return noNormalize
        ? encoder.imageFeatures(List.of(image)).getFirst()
        : encoder.embedImage(image);
  }

  private void write(DualEncoder encoder, List<float[]> vectors) throws IOException {
    Path file = out;
    if (file != null) {
      int dimension = encoder.dimension();
      float[] all = new float[Math.multiplyExact(vectors.size(), dimension)];
      for (int i = 0; i < vectors.size(); i++) {
        System.arraycopy(vectors.get(i), 0, all, i * dimension, dimension);
      }
      NpyFile.writeFloats(file, all, vectors.size(), dimension);
    } else if (output.json) {
      printJson(json(encoder, vectors));
    } else {
      for (int i = 0; i < vectors.size(); i++) {
        io().out().println(entry(i, vectors.get(i)));
      }
    }
  }

  private ObjectNode json(DualEncoder encoder, List<float[]> vectors) {
    ObjectNode root = Json.object();
    root.put("dimension", encoder.dimension());
    ArrayNode list = root.putArray("vectors");
    for (int i = 0; i < vectors.size(); i++) {
      list.add(entry(i, vectors.get(i)));
    }
    root.put("logit_scale", encoder.logitScale());
    root.put("logit_bias", encoder.logitBias());
    return root;
  }

  private ObjectNode entry(int index, float[] vector) {
    boolean isImage = index < images.size();
    ObjectNode node = Json.object();
    node.put("kind", isImage ? "image" : "text");
    node.put("input", isImage ? images.get(index).toString() : texts.get(index - images.size()));
    node.set("vector", Json.array(vector));
    return node;
  }
}
