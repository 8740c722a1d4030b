package dev.ocellus.convert.cache;

import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.nativelib.CacheDirectory;
import dev.ocellus.vlm.embedding.CheckpointConverter;
import java.io.IOException;
import java.nio.file.Path;

/** Lets a dual encoder be opened by the folder of its checkpoint, which is converted once. */
public final class DualEncoderFolders implements CheckpointConverter {
  @Override
  public boolean isCheckpoint(Path path) {
    return Converter.isCheckpoint(path);
  }

  @Override
  public Path dualEncoder(Path folder) throws IOException {
    Converter.requireDualEncoder(folder);
    return new CheckpointCache(CacheDirectory.of("checkpoints"))
        .convert(folder, false, ConvertProgress.NONE)
        .text();
  }
}
