package dev.ocellus.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderScanTest {
  @TempDir Path folder;

  private void file(String path) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Files.writeString(file, path);
  }

  private static List<String> paths(Path folder) throws IOException {
    return FolderScan.of(folder, () -> true).files().stream().map(FolderScan.File::path).toList();
  }

  @Test
  void findsImagesByTheirNamesInOrder() throws IOException {
    for (String path :
        List.of("b.PNG", "a.jpg", "c/2.webp", "c/10.jpeg", "d.txt", "e", "f.jpg.txt", "ü €.gif")) {
      file(path);
    }
    Files.createDirectories(folder.resolve("folder.png"));
    assertThat(paths(folder)).containsExactly("a.jpg", "b.PNG", "ü €.gif", "c/10.jpeg", "c/2.webp");
  }

  @Test
  void leavesOutWhatIsHidden() throws IOException {
    file(".ocellus/index/x.png");
    file(".x.png");
    file("a/.git/x.png");
    file("a/x.png");
    assertThat(paths(folder)).containsExactly("a/x.png");
  }

  /** Neither in circles, nor to what was seen without the link. */
  @Test
  void followsLinksToNothingTwice() throws IOException {
    file("z/1.png");
    file("z/deep/2.png");
    Path elsewhere = Files.createTempDirectory(folder.getParent(), "elsewhere");
    Files.writeString(elsewhere.resolve("3.png"), "3");
    Files.createSymbolicLink(folder.resolve("a"), folder.resolve("z"));
    Files.createSymbolicLink(folder.resolve("z/deep/up"), folder);
    Files.createSymbolicLink(folder.resolve("b"), elsewhere);
    Files.createSymbolicLink(folder.resolve("c"), elsewhere);
    Files.createSymbolicLink(folder.resolve("0.png"), folder.resolve("z/1.png"));
    Files.createSymbolicLink(folder.resolve("nowhere.png"), folder.resolve("nothing"));
    Files.createSymbolicLink(folder.resolve("self.png"), folder.resolve("self.png"));
    FolderScan scan = FolderScan.of(folder, () -> true);
    assertThat(scan.files())
        .extracting(FolderScan.File::path)
        .containsExactly("z/1.png", "z/deep/2.png", "b/3.png");
    assertThat(scan.problems())
        .extracting(FolderScan.Problem::path)
        .containsExactly("nowhere.png", "self.png");
  }

  @Test
  void tellsWhatItCouldNotLookAt() throws IOException {
    file("a/1.png");
    file("ab/2.png");
    FolderScan scan = FolderScan.of(folder, () -> true);
    scan.problems().add(new FolderScan.Problem("a", "no permission"));
    assertThat(scan.isHidden("a/1.png")).isTrue();
    assertThat(scan.isHidden("ab/2.png")).isFalse();
    assertThatThrownBy(() -> FolderScan.of(folder.resolve("not there"), () -> true))
        .isInstanceOf(NoSuchFileException.class);
    assertThatThrownBy(() -> FolderScan.of(folder, () -> false))
        .isInstanceOf(CancellationException.class);
  }
}
