package dev.ocellus.gguf;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Models in several files, as {@code llama-gguf-split} writes them: {@code
 * NAME-00001-of-00003.gguf} holds the metadata, and every shard says in {@code split.no} (u16, from
 * 0) which one it is.
 */
final class SplitFiles {
  static final String NO = "split.no";
  static final String COUNT = "split.count";
  static final String TENSORS = "split.tensors.count";

  private SplitFiles() {}

  /** Name of shard {@code no} (from 0) of {@code count}. */
  static String name(String prefix, int no, int count) {
    return "%s-%05d-of-%05d.gguf".formatted(prefix, no + 1, count);
  }

  /**
   * The first shard and all that belong to it; the file alone if it is not split.
   *
   * @throws NoSuchFileException naming the shard that is missing
   * @throws GgufFormatException if {@code first} is not the first shard, or shards do not fit
   */
  static List<MappedGguf> open(MappedGguf first, Arena arena) throws IOException {
    GgufMetadata meta = new GgufMetadata(first.path(), first.header().metadata());
    int count = meta.int32(COUNT, 1);
    if (count < 0 || count > 0xffff) {
      throw bad(first.path(), COUNT, "0 to 65535", "" + count);
    }
    if (count < 2) {
      return List.of(first);
    }
    int no = number(first);
    String fileName = first.path().getFileName().toString();
    String suffix = name("", no, count);
    if (!fileName.endsWith(suffix) || fileName.length() == suffix.length()) {
      throw new GgufFormatException(
          first.path(),
          GgufFormatException.NOWHERE,
          "name of part %d of a model in %d files".formatted(no + 1, count),
          "NAME" + suffix,
          Quote.of(fileName),
          "Give all parts their original names; the others are found by them.");
    }
    String prefix = fileName.substring(0, fileName.length() - suffix.length());
    if (no != 0) {
      throw bad(
          first.path(),
          NO,
          "0, the first of the %d files (%s)".formatted(count, name(prefix, 0, count)),
          "" + no);
    }
    List<MappedGguf> shards = new ArrayList<>();
    shards.add(first);
    for (int i = 1; i < count; i++) {
      shards.add(shard(first.path().resolveSibling(name(prefix, i, count)), i, count, arena));
    }
    checkTensors(first.path(), meta, shards);
    return List.copyOf(shards);
  }

  private static MappedGguf shard(Path path, int no, int count, Arena arena) throws IOException {
    MappedGguf shard;
    try {
      shard = MappedGguf.open(path, arena);
    } catch (NoSuchFileException e) {
      NoSuchFileException clear =
          new NoSuchFileException(
              path.toString(),
              null,
              "part %d of %d of this model is missing; download it next to the others"
                  .formatted(no + 1, count));
      clear.initCause(e);
      throw clear;
    }
    int found = number(shard);
    if (found != no) {
      throw bad(path, NO, "" + no, "" + found);
    }
    int itsCount = new GgufMetadata(path, shard.header().metadata()).int32(COUNT, count);
    if (itsCount != count) {
      throw bad(path, COUNT, count + " as in the first file", "" + itsCount);
    }
    return shard;
  }

  /** The shard's own number; u16 exactly, as libllama would abort on another type. */
  private static int number(MappedGguf shard) {
    GgufValue v = shard.header().metadata().get(NO);
    if (v instanceof GgufValue.Int i && i.type() == MetadataType.U16) {
      return (int) i.value();
    }
    throw bad(shard.path(), NO, "a u16", v == null ? "no such key" : "a " + v.type().shortName());
  }

  private static void checkTensors(Path first, GgufMetadata meta, List<MappedGguf> shards) {
    long total = 0;
    Set<String> names = new HashSet<>();
    for (MappedGguf s : shards) {
      for (GgufParser.Entry t : s.header().tensors()) {
        total++;
        if (!names.add(t.name())) {
          throw new GgufFormatException(
              s.path(),
              GgufFormatException.NOWHERE,
              "tensor " + Quote.of(t.name()),
              "a unique name in the whole model",
              "one that an earlier part has too",
              "The parts belong to different models; download them again.");
        }
      }
    }
    long expected = meta.integer(TENSORS);
    if (total != expected) {
      throw bad(first, TENSORS, total + ", the tensors in all parts", "" + expected);
    }
  }

  private static GgufFormatException bad(Path file, String key, String expected, String found) {
    return new GgufFormatException(
        file,
        GgufFormatException.NOWHERE,
        "metadata " + Quote.of(key),
        expected,
        found,
        "Open the first part of a split model, with all parts of one download beside it.");
  }
}
