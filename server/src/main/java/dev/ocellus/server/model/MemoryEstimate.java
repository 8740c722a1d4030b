package dev.ocellus.server.model;

import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufMetadata;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** What a model will take, as far as its files tell before it is loaded. */
final class MemoryEstimate {
  private MemoryEstimate() {}

  /** Bytes of weights and of keys and values. */
  static long bytes(ModelSource source) throws IOException {
    long bytes = 0;
    for (Path file : source.files()) {
      bytes += size(file);
    }
    return source.load() instanceof ModelSource.Chat(LoadOptions options)
        ? bytes + kvBytes(options)
        : bytes;
  }

  /** Length of a file, or of all files of a checkpoint's folder. */
  static long size(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return Files.size(path);
    }
    long bytes = 0;
    try (Stream<Path> files = Files.list(path)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  /** As of a transformer whose layers all attend; others take less. */
  private static long kvBytes(LoadOptions options) throws IOException {
    if (Files.isDirectory(options.model())) {
      return 0;
    }
    try (GgufFile file = GgufFile.open(options.model())) {
      GgufMetadata data = file.metadata();
      String prefix = prefix(data);
      long nCtx = nCtx(data, options.contextOptions());
      long nLayer = number(data, prefix + "block_count", 0);
      long nHead = nHead(data);
      long nHeadKv = number(data, prefix + "attention.head_count_kv", nHead);
      long width = number(data, prefix + "embedding_length", 0) / nHead;
      long key = number(data, prefix + "attention.key_length", width);
      long value = number(data, prefix + "attention.value_length", width);
      long nSeq = options.sessions().parallel();
      return 2 * nCtx * nSeq * nLayer * nHeadKv * (key + value);
    }
  }

  private static String prefix(GgufMetadata data) {
    return data.string("general.architecture", "") + ".";
  }

  /** Tokens of a sequence. */
  static long nCtx(GgufMetadata data, ContextOptions context) {
    return context.nCtx() > 0
        ? context.nCtx()
        : number(data, prefix(data) + "context_length", 4096);
  }

  /** Heads of attention. */
  static long nHead(GgufMetadata data) {
    return Math.max(1, number(data, prefix(data) + "attention.head_count", 1));
  }

  /** A number, which some models give for each layer, and which then is the default. */
  private static long number(GgufMetadata data, String key, long otherwise) {
    try {
      return data.integer(key, otherwise);
    } catch (RuntimeException e) {
      return otherwise;
    }
  }
}
