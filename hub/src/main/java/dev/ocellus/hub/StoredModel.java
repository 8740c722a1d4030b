package dev.ocellus.hub;

import java.nio.file.Path;
import java.util.List;

/**
 * A model on this machine.
 *
 * @param name as it is asked for: {@code hf://org/repo} or {@code ollama:model:tag}
 * @param place its folder in HuggingFace's cache, or its manifest in Ollama's store
 * @param files of all commits that are kept
 * @param size bytes on the disk, what is shared counted once
 */
public record StoredModel(String name, Path place, List<StoredFile> files, long size) {
  /**
   * A file of a model.
   *
   * @param name path in the repository, or the kind of an Ollama layer
   * @param path on this machine
   * @param blob where its bytes are
   * @param size in bytes
   */
  public record StoredFile(String name, Path path, Path blob, long size) {}
}
