package dev.ocellus.convert.model.base;

import dev.ocellus.convert.hf.LazyTensor;

/**
 * A tensor under its name in the GGUF file.
 *
 * @param name the name in the file
 * @param data shape and elements
 */
public record TargetTensor(String name, LazyTensor data) {}
