package dev.ocellus.tests.fuzz;

import dev.ocellus.convert.ConvertOptions;
import dev.ocellus.convert.ConvertProgress;
import dev.ocellus.convert.Converter;
import dev.ocellus.convert.common.OutputType;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.tests.TinyCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Converts checkpoints of which one file is damaged. */
final class ConvertTarget implements Target {
  static final String SUFFIX = ".checkpoint";

  private static final OutputType[] TYPES = OutputType.values();

  @Override
  public String name() {
    return "convert";
  }

  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    return file.toString().endsWith(SUFFIX);
  }

  @Override
  public boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    Map<String, byte[]> files = unpack(base);
    List<String> names = new ArrayList<>(files.keySet());
    String name = EdgeValues.one(names, random);
    byte[] whole = Objects.requireNonNull(files.get(name));
    boolean json = name.endsWith(".json") && random.nextInt(4) > 0;
    files.put(name, json ? JsonMutator.mutate(whole, random) : ByteMutator.mutate(whole, random));
    if (random.nextInt(50) == 0) {
      files.remove(EdgeValues.one(names, random));
    }
    TinyCheckpoint.pack(files, to);
    return true;
  }

  static Map<String, byte[]> unpack(Path file) throws IOException {
    Map<String, byte[]> files = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(file))) {
      ZipEntry entry;
      while ((entry = zip.getNextEntry()) != null) {
        files.put(entry.getName(), zip.readAllBytes());
      }
    }
    return files;
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    Path folder = Files.createTempDirectory("ocellus-convert");
    try {
      for (Map.Entry<String, byte[]> e : unpack(file).entrySet()) {
        Files.write(folder.resolve(e.getKey()), e.getValue());
      }
      OutputType type = TYPES[Math.floorMod(seed, TYPES.length)];
      var report =
          Converter.convert(
              folder,
              ConvertOptions.defaults()
                  .withOutput(folder.resolve("o.gguf"), null)
                  .withTypes(type, type),
              ConvertProgress.NONE);
      for (var converted : report.files()) {
        try (GgufFile gguf = GgufFile.open(converted.path())) {
          gguf.requireReadableByGgml();
        }
      }
    } finally {
      try (var files = Files.list(folder)) {
        for (Path f : files.toList()) {
          Files.delete(f);
        }
      }
      Files.delete(folder);
    }
  }
}
