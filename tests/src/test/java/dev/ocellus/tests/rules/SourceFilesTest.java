package dev.ocellus.tests.rules;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What CONTRIBUTING.md says of files of Java, and no compiler checks. */
class SourceFilesTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final int MAX_LINES = 450;

  /** Made by tools, or not of this project. */
  private static final Set<String> OTHERS = Set.of("target", "node_modules", "ffi", ".git");

  private static List<Path> sources() throws IOException {
    List<Path> sources = new ArrayList<>();
    Files.walkFileTree(
        ROOT,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            boolean other = OTHERS.contains(String.valueOf(folder.getFileName()));
            return other ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              sources.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return sources;
  }

  /** A longer file has more than one job. */
  @Test
  void filesAreShort() throws IOException {
    List<String> tooLong = new ArrayList<>();
    List<Path> sources = sources();
    for (Path source : sources) {
      int lines = Files.readAllLines(source).size();
      if (lines > MAX_LINES) {
        tooLong.add(ROOT.relativize(source) + ": " + lines);
      }
    }
    assertThat(sources).hasSizeGreaterThan(1000);
    assertThat(tooLong).as("files of more than %d lines", MAX_LINES).isEmpty();
  }

  /** Packages say what they are for, and what in them may be null. */
  @Test
  void packagesOfTheProgramAreDescribed() throws IOException {
    List<Path> silent =
        sources().stream()
            .filter(source -> source.toString().replace('\\', '/').contains("/src/main/java/"))
            .map(Path::getParent)
            .distinct()
            .filter(folder -> !folder.endsWith(Path.of("src/main/java"))) // module-info
            .filter(folder -> Files.notExists(folder.resolve("package-info.java")))
            .map(ROOT::relativize)
            .toList();
    assertThat(silent).isEmpty();
  }
}
