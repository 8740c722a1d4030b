package dev.ocellus.tests.fuzz;

import dev.ocellus.tests.TinyCheckpoint;
import dev.ocellus.tests.TinyTextModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * One damaged file: from a seed and a number always the same.
 *
 * @param index its number
 * @param target what reads it
 * @param base what it was made from
 * @param seed of everything random in it
 */
record Case(long index, Target target, Path base, long seed) {
  static final List<Target> TARGETS =
      List.of(
          new GgufTarget(),
          new TextTarget(),
          new ImageTarget(),
          new ProjectorTarget(),
          new ConvertTarget(),
          new SessionTarget(),
          new SafetensorsTarget(),
          new PickleTarget(),
          new TokenizerTarget(),
          new TemplateTarget(),
          new MessagesTarget(),
          new GrammarTarget(),
          new SchemaTarget(),
          new ImatrixTarget(),
          new QuantizeTarget(),
          new OutputTarget(),
          new VocabularyTarget(),
          new CheckpointTarget(),
          new InterleaveTarget(),
          HardshipTarget.stacks(),
          HardshipTarget.heaps());

  /** A target with the files that it starts from. */
  record Start(Target target, List<Path> bases) {}

  /**
   * What there is to damage, with tiny models of all architectures for targets that read models.
   *
   * @param folders searched for more
   * @param only the name of a target, or empty for all
   */
  static List<Start> starts(List<Path> folders, String only, Path work) throws IOException {
    List<Path> files = new ArrayList<>();
    if (TARGETS.stream().anyMatch(t -> isChosen(t, only) && t.isGguf())) {
      for (String architecture : TinyTextModel.ARCHITECTURES) {
        files.add(
            TinyTextModel.write(work.resolve("tiny-" + architecture + ".gguf"), architecture));
      }
    }
    for (String kind : TinyCheckpoint.KINDS) {
      files.add(TinyCheckpoint.write(work.resolve("tiny-" + kind + ConvertTarget.SUFFIX), kind));
    }
    if (only.isEmpty() || only.equals(SessionTarget.NAME)) {
      files.addAll(SessionTarget.write(folders, work));
    }
    for (Path folder : folders) {
      try (Stream<Path> found = Files.walk(folder)) {
        found.filter(Files::isRegularFile).sorted().forEach(files::add);
      }
    }
    List<Start> starts = new ArrayList<>();
    for (Target target : TARGETS) {
      if (!isChosen(target, only)) {
        continue;
      }
      List<Path> bases = new ArrayList<>(files.stream().filter(target::takes).toList());
      bases.addAll(target.bases(work));
      if (!bases.isEmpty()) {
        starts.add(new Start(target, bases));
      }
    }
    return starts;
  }

  private static boolean isChosen(Target target, String only) {
    return only.isEmpty() ? !target.isSlow() : only.equals(target.name());
  }

  static Case of(List<Start> starts, long seed, long index) {
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + index);
    random.nextLong();
    Start start = EdgeValues.one(starts, random);
    return new Case(index, start.target, EdgeValues.one(start.bases, random), random.nextLong());
  }

  /** Writes the damaged file. */
  void write(Path to) {
    SplittableRandom random = new SplittableRandom(seed);
    try {
      if (target.damage(base, to, random)) {
        return;
      }
      int way = random.nextInt(10);
      if (target.isGguf() && way < 6) {
        ModelMutator.mutate(base, to, random);
      } else {
        byte[] whole = Files.readAllBytes(base);
        boolean fields = target.isGguf() && way < 9;
        Files.write(
            to, fields ? FieldMutator.mutate(whole, random) : ByteMutator.mutate(whole, random));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void run(Path file) throws Exception {
    target.run(Files.readAllBytes(file), file, seed);
  }

  @Override
  public String toString() {
    return "%d (%s from %s)".formatted(index, target.name(), base.getFileName());
  }
}
