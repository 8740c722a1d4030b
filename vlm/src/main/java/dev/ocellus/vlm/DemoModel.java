package dev.ocellus.vlm;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.nativelib.BundledFiles;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * The tiny models that come with Ocellus, so that everything can be tried with nothing downloaded.
 * They know drawn shapes, numbers and short words, and nothing about photographs.
 */
public final class DemoModel {
  /** What to call the one that chats. */
  public static final String NAME = "tiny-shapes-vlm";

  /** What to call the dual encoder. */
  public static final String DUAL_ENCODER = "tiny-shapes-clip";

  /** What to call the one that makes codes of images, and draws. */
  public static final String VQ = "tiny-shapes-vq";

  /** What to call the one that makes images of noise. */
  public static final String GAN = "tiny-shapes-gan";

  /** What to call the one that judges them. */
  public static final String CRITIC = "tiny-shapes-critic";

  private DemoModel() {}

  /**
   * The files of the one that chats, unpacked into the user's cache directory if they are not there
   * yet, to be computed by one thread: its operations take microseconds, and several threads would
   * spend more on waiting for each other after each.
   *
   * @throws IOException if this installation does not contain it
   * @throws dev.ocellus.OcellusException if it is damaged, or there is nowhere to unpack it to
   */
  public static LoadOptions files() throws IOException {
    Path directory = unpacked();
    return LoadOptions.of(
            directory.resolve(NAME + ".gguf"), directory.resolve("mmproj-" + NAME + ".gguf"))
        .withContextOptions(ContextOptions.defaults().withThreads(1, 1));
  }

  /**
   * The file of the dual encoder, for {@link dev.ocellus.vlm.embedding.DualEncoder}, unpacked
   * likewise.
   *
   * @throws IOException if this installation does not contain it
   * @throws dev.ocellus.OcellusException if it is damaged, or there is nowhere to unpack it to
   */
  public static Path dualEncoder() throws IOException {
    return unpacked().resolve(DUAL_ENCODER + ".gguf");
  }

  /**
   * The file of the VQ model with a prior over its codes, for {@code dev.ocellus.vlm.generation},
   * unpacked likewise.
   *
   * @throws IOException if this installation does not contain it
   * @throws dev.ocellus.OcellusException if it is damaged, or there is nowhere to unpack it to
   */
  public static Path vq() throws IOException {
    return unpacked().resolve(VQ + ".gguf");
  }

  /** The file of the generator; throws as {@link #vq}. */
  public static Path gan() throws IOException {
    return unpacked().resolve(GAN + ".gguf");
  }

  /** The file of the critic; throws as {@link #vq}. */
  public static Path critic() throws IOException {
    return unpacked().resolve(CRITIC + ".gguf");
  }

  private static Path unpacked() throws IOException {
    try (InputStream in = DemoModel.class.getResourceAsStream("demo/files.txt")) {
      if (in == null) {
        throw new FileNotFoundException(
            "The embedded demo models are not in this installation; give a model of your own");
      }
      return BundledFiles.unpack(
          "demo-model",
          in.readAllBytes(),
          name -> DemoModel.class.getResourceAsStream("demo/" + name));
    }
  }
}
