package dev.ocellus.cli.command;

import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;

/**
 * A model by its path, or by its name ({@code hf://…}, {@code ollama:…}). What the name stands for
 * is found before the command runs, as the line may ask for help only: see {@link NamedModels}.
 */
public class ModelPathConverter implements ITypeConverter<Path> {
  @Override
  public Path convert(String value) {
    return NamedModels.pathOrName(value);
  }

  /** The name of a repository of the hub, without {@code hf://}. */
  static final class OfHub extends ModelPathConverter {
    @Override
    public Path convert(String value) {
      return super.convert(value.contains("://") ? value : "hf://" + value);
    }
  }
}
