package dev.ocellus.tests.fuzz;

import dev.ocellus.gguf.GgufWriter;
import dev.ocellus.io.AtomicFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Writes into paths of every kind. What was there is either complete and new or as it was, what is
 * no file stays what it is, and nothing else is left behind.
 */
final class OutputTarget extends GeneratedTarget {
  private static final byte[] OLD = {1, 2, 3};
  private static final int MAX_BYTES = 40_000;

  private enum Place {
    NEW,
    FILE,
    READ_ONLY_FILE,
    LINK,
    LINK_TO_NOTHING,
    LINK_TO_LINK,
    CIRCLE,
    FOLDER,
    LINK_TO_FOLDER,
    IN_NO_FOLDER,
    IN_A_FILE,
    READ_ONLY_FOLDER,
    PIPE,
    LINK_TO_PIPE,
    NULL_DEVICE,
    FULL_DEVICE
  }

  @Override
  public String name() {
    return "output";
  }

  @Override
  void run(SplittableRandom random, Path folder) throws Exception {
    Place place = Place.values()[random.nextInt(Place.values().length)];
    Path path = prepare(place, folder);
    boolean fails = random.nextInt(4) == 0;
    byte[] content = new byte[random.nextInt(MAX_BYTES)];
    random.nextBytes(content);
    Map<String, String> before = kinds(folder);
    CompletableFuture<byte[]> reader = null;
    if (!Files.exists(path) && place.name().endsWith("PIPE")) {
      return; // no mkfifo here
    }
    if (place.name().endsWith("PIPE")) {
      reader = CompletableFuture.supplyAsync(() -> readAll(path));
    }
    boolean written = false;
    try {
      write(path, content, fails, random);
      written = true;
    } finally {
      check(place, path, folder, before, written ? content : null, reader);
    }
  }

  private static void write(Path path, byte[] content, boolean fails, SplittableRandom random)
      throws IOException {
    if (!fails && random.nextInt(4) == 0) {
      new GgufWriter().string("general.architecture", "x").write(path.resolveSibling("other"));
      Files.delete(path.resolveSibling("other"));
    }
    int portion = random.nextInt(1, 5000);
    AtomicFile.write(
        path,
        channel -> {
          for (int at = 0; at < content.length; at += portion) {
            ByteBuffer part = ByteBuffer.wrap(content, at, Math.min(portion, content.length - at));
            while (part.hasRemaining()) {
              channel.write(part);
            }
            if (fails && at > content.length / 2) {
              throw new IOException("as if the disk were full");
            }
          }
          if (fails) {
            throw new IOException("as if the disk were full");
          }
        });
  }

  private static Path prepare(Place place, Path folder) throws Exception {
    Path path = folder.resolve("out");
    Path other = folder.resolve("target");
    switch (place) {
      case NEW -> {}
      case FILE -> Files.write(path, OLD);
      case READ_ONLY_FILE ->
          Files.setPosixFilePermissions(
              Files.write(path, OLD), PosixFilePermissions.fromString("r--r-----"));
      case LINK -> Files.createSymbolicLink(path, Files.write(other, OLD));
      case LINK_TO_NOTHING -> Files.createSymbolicLink(path, other);
      case LINK_TO_LINK -> {
        Path middle = Files.createSymbolicLink(folder.resolve("middle"), Path.of("target"));
        Files.write(other, OLD);
        Files.createSymbolicLink(path, middle);
      }
      case CIRCLE -> {
        Files.createSymbolicLink(path, other);
        Files.createSymbolicLink(other, path);
      }
      case FOLDER -> Files.createDirectory(path);
      case LINK_TO_FOLDER -> Files.createSymbolicLink(path, Files.createDirectory(other));
      case IN_NO_FOLDER -> {
        return folder.resolve("missing").resolve("out");
      }
      case IN_A_FILE -> {
        return Files.write(other, OLD).resolve("out");
      }
      case READ_ONLY_FOLDER -> {
        Files.createDirectory(
            other,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-xr-xr-x")));
        return other.resolve("out");
      }
      case PIPE -> make("mkfifo", path.toString());
      case LINK_TO_PIPE -> {
        make("mkfifo", other.toString());
        Files.createSymbolicLink(path, other);
      }
      case NULL_DEVICE -> make("mknod", path.toString(), "c", "1", "3");
      case FULL_DEVICE -> make("mknod", path.toString(), "c", "1", "7");
    }
    return path;
  }

  /** Does nothing where the command is missing or not allowed: then a new file is written. */
  private static void make(String... command) throws Exception {
    try {
      new ProcessBuilder(command).redirectErrorStream(true).start().waitFor();
    } catch (IOException e) {
      // no such command on this system
    }
  }

  private static byte[] readAll(Path pipe) {
    try {
      return Files.readAllBytes(pipe);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** What every entry is, with the content of those that are no regular files. */
  private static Map<String, String> kinds(Path folder) throws IOException {
    Map<String, String> kinds = new TreeMap<>();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.filter(f -> !f.equals(folder)).toList()) {
        int mode = (int) Files.getAttribute(file, "unix:mode", LinkOption.NOFOLLOW_LINKS);
        String link = Files.isSymbolicLink(file) ? Files.readSymbolicLink(file).toString() : "";
        kinds.put(folder.relativize(file).toString(), Integer.toOctalString(mode) + link);
      }
    }
    return kinds;
  }

  private static void check(
      Place place,
      Path path,
      Path folder,
      Map<String, String> before,
      byte @org.jspecify.annotations.Nullable [] written,
      @org.jspecify.annotations.Nullable CompletableFuture<byte[]> reader)
      throws Exception {
    Map<String, String> after = kinds(folder);
    before.forEach((name, kind) ->
        require(
            kind.equals(after.get(name)),
            "%s: %s was %s and is %s".formatted(place, name, kind, after.get(name))));
    List<String> added = after.keySet().stream().filter(n -> !before.containsKey(n)).toList();
    require(added.size() <= (written == null ? 0 : 1), place + ": left behind: " + added);
    if (reader != null) {
      byte[] read = read(reader);
      require(
          written == null || Arrays.equals(written, read),
          place + ": the pipe gave something else");
    } else if (Files.isRegularFile(path)) {
      byte[] now = Files.readAllBytes(path);
      require(Arrays.equals(now, written == null ? OLD : written), place + ": another content");
    } else {
      require(
          written == null || place == Place.NULL_DEVICE, place + ": written, and nothing is there");
    }
  }

  private static byte[] read(CompletableFuture<byte[]> reader) throws Exception {
    try {
      return reader.get(20, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the reader failed", e);
    }
  }
}
