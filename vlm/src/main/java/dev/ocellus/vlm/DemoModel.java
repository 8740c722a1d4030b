package dev.ocellus.vlm;

import dev.ocellus.llama.ContextOptions;
import dev.ocellus.nativelib.BundledFiles;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;

/**
 * The tiny model that comes with Ocellus, so that everything can be tried with nothing downloaded.
 * It knows drawn shapes, numbers and short words, and nothing about photographs.
 */
public final class DemoModel {
  /** What to call it. */
  public static final String NAME = "tiny-shapes-vlm";

  private DemoModel() {}

  /**
   * Its files, unpacked into the user's cache directory if they are not there yet, to be computed
   * by one thread: its operations take microseconds, and several threads would spend more on
   * waiting for each other after each.
   *
   * @throws IOException if this installation does not contain it
   * @throws dev.ocellus.OcellusException if it is damaged, or there is nowhere to unpack it to
   */
  public static LoadOptions files() throws IOException {
    try (InputStream in = DemoModel.class.getResourceAsStream("demo/files.txt")) {
      if (in == null) {
        throw new FileNotFoundException(
            "The embedded demo model is not in this installation; give a model of your own");
      }
      Path directory =
          BundledFiles.unpack(
              "demo-model",
              in.readAllBytes(),
              name -> DemoModel.class.getResourceAsStream("demo/" + name));
      return LoadOptions.of(
              directory.resolve(NAME + ".gguf"), directory.resolve("mmproj-" + NAME + ".gguf"))
          .withContextOptions(ContextOptions.defaults().withThreads(1, 1));
    }
  }
}
