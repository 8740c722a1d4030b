package dev.ocellus.tests.fuzz;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Reads texts of a small language: templates, grammars, schemas, conversations. */
abstract class SourceTarget implements Target {
  private final String name;
  private final String suffix;
  private final List<String> seeds;
  private final List<String> words;

  /**
   * @param suffix of the files that it takes
   * @param seeds texts to start from
   * @param words what may stand in the language
   */
  SourceTarget(String name, String suffix, List<String> seeds, List<String> words) {
    this.name = name;
    this.suffix = suffix;
    this.seeds = seeds;
    this.words = words;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public boolean isGguf() {
    return false;
  }

  @Override
  public boolean takes(Path file) {
    return file.toString().endsWith(suffix);
  }

  @Override
  public List<Path> bases(Path work) throws IOException {
    List<Path> files = new ArrayList<>();
    for (String seed : seeds) {
      files.add(Files.writeString(work.resolve("seed" + files.size() + suffix), seed));
    }
    return files;
  }

  @Override
  public boolean damage(Path base, Path to, SplittableRandom random) throws IOException {
    byte[] whole = Files.readAllBytes(base);
    boolean json = suffix.endsWith("json") && random.nextInt(3) > 0;
    Files.write(
        to, json ? JsonMutator.mutate(whole, random) : TextMutator.mutate(whole, words, random));
    return true;
  }

  @Override
  public boolean readsFile() {
    return false;
  }

  @Override
  public void run(byte[] data, Path file, long seed) throws IOException {
    run(new String(data, StandardCharsets.UTF_8), new SplittableRandom(seed));
  }

  /** Reads a text and uses it. */
  abstract void run(String source, SplittableRandom random) throws IOException;
}
