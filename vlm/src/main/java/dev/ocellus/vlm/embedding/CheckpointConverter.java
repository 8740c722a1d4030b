package dev.ocellus.vlm.embedding;

import java.io.IOException;
import java.nio.file.Path;

/**
 * Makes of a checkpoint's folder the GGUF file that {@link DualEncoder#open(Path)} takes. Found
 * among the services of the program ({@link java.util.ServiceLoader}); the module {@code
 * dev.ocellus.quantize} has one, which keeps what it converted.
 */
public interface CheckpointConverter {
  /** Whether a path is a folder that {@link #dualEncoder} takes. */
  boolean isCheckpoint(Path path);

  /**
   * The file for a folder in HuggingFace's or open_clip's layout.
   *
   * @throws IOException if a file cannot be read or written
   * @throws dev.ocellus.OcellusException if the folder holds another kind of model, or one that is
   *     not known or damaged
   */
  Path dualEncoder(Path folder) throws IOException;
}
