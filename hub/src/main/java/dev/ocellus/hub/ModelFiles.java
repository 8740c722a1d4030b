package dev.ocellus.hub;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The files of a model on this machine.
 *
 * @param model the text model's GGUF file (the first of several), or the folder of a checkpoint
 * @param mmproj its image encoder, if the place where it came from has one
 * @param files everything that belongs to it
 */
public record ModelFiles(Path model, Optional<Path> mmproj, List<Path> files) {}
