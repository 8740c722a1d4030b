package dev.ocellus.io;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "no named pipes, devices and permissions")
class AtomicFileTest {
  private static final byte[] TEXT = "new content".getBytes(UTF_8);

  @TempDir Path folder;

  private static boolean runs(String... command) throws IOException {
    try {
      return new ProcessBuilder(command).redirectErrorStream(true).start().waitFor() == 0;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException(e);
    }
  }

  private int kindOf(Path file) throws IOException {
    return (int) Files.getAttribute(file, "unix:mode") & 0xf000;
  }

  private void assertOnly(String... names) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files.map(p -> p.getFileName().toString())).containsExactlyInAnyOrder(names);
    }
  }

  @Test
  void replacesAFileAndKeepsItsPermissions() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
    AtomicFile.write(file, TEXT);
    assertThat(file).hasBinaryContent(TEXT);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-r-----");
    assertOnly("a");
  }

  @Test
  void leavesTheFileAsItWasWhenWritingFails() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    assertThatThrownBy(() ->
            AtomicFile.write(
                file,
                channel -> {
                  throw new IOException("no");
                }))
        .hasMessage("no");
    assertThat(file).hasContent("old");
    assertOnly("a");
  }

  @Test
  void followsLinksToWhatTheyLeadTo() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("inner"));
    Path real = Files.writeString(inner.resolve("real"), "old");
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("inner/real"));
    Path second = Files.createSymbolicLink(folder.resolve("second"), Path.of("link"));
    AtomicFile.write(second, TEXT);
    assertThat(real).hasBinaryContent(TEXT);
    assertThat(link).isSymbolicLink();
    assertThat(second).isSymbolicLink();
  }

  @Test
  void createsWhatALinkLeadsTo() throws IOException {
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("missing"));
    AtomicFile.write(link, TEXT);
    assertThat(link).isSymbolicLink();
    assertThat(folder.resolve("missing")).hasBinaryContent(TEXT);
  }

  @Test
  void refusesLinksInACircle() throws IOException {
    Files.createSymbolicLink(folder.resolve("a"), Path.of("b"));
    Path b = Files.createSymbolicLink(folder.resolve("b"), Path.of("a"));
    assertThatThrownBy(() -> AtomicFile.write(b, TEXT)).isInstanceOf(FileSystemLoopException.class);
  }

  @Test
  void writesIntoANamedPipe() throws IOException {
    Path pipe = folder.resolve("pipe");
    assumeTrue(runs("mkfifo", pipe.toString()), "mkfifo is missing");
    CompletableFuture<byte[]> reader =
        CompletableFuture.supplyAsync(() -> {
          try {
            return Files.readAllBytes(pipe);
          } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
        });
    AtomicFile.write(pipe, TEXT);
    assertThat(reader.join()).isEqualTo(TEXT);
    assertThat(kindOf(pipe)).isEqualTo(0x1000);
    assertOnly("pipe");
  }

  @Test
  void doesNotWaitForEverForTheReaderOfAPipe() throws IOException {
    Path pipe = folder.resolve("pipe");
    assumeTrue(runs("mkfifo", pipe.toString()), "mkfifo is missing");
    assertThatThrownBy(() -> PipeOpener.openForWriting(pipe, Duration.ofMillis(50)))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContainingAll("pipe", "no program reads");
  }

  @Test
  void refusesContentThatGoesBackInAPipe() throws IOException {
    Path pipe = folder.resolve("pipe");
    assumeTrue(runs("mkfifo", pipe.toString()), "mkfifo is missing");
    assertThatThrownBy(() -> AtomicFile.writeInAnyOrder(pipe, channel -> {}))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContainingAll("pipe", "is a named pipe");
    try (AtomicFileSet set = new AtomicFileSet()) {
      assertThatThrownBy(() -> set.write(pipe, channel -> {}))
          .isInstanceOf(FileSystemException.class);
    }
    assertThat(kindOf(pipe)).isEqualTo(0x1000);
  }

  /** A copy of /dev/null in a folder of its own: the one of the machine is left alone. */
  @Test
  void writesIntoACharacterDevice() throws IOException {
    Path device = folder.resolve("null");
    assumeTrue(runs("mknod", device.toString(), "c", "1", "3"), "only root makes devices");
    AtomicFile.write(device, TEXT);
    assertThat(kindOf(device)).isEqualTo(0x2000);
    assertThatThrownBy(() -> AtomicFile.writeInAnyOrder(device, channel -> {}))
        .hasMessageContaining("is a character device");
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("null"));
    AtomicFile.write(link, TEXT);
    assertThat(kindOf(device)).isEqualTo(0x2000);
    assertOnly("null", "link");
  }

  /** A copy of /dev/full, whose disk has no space, in a folder of its own. */
  @Test
  void namesTheFileThatCannotBeWritten() throws IOException {
    Path device = folder.resolve("full");
    assumeTrue(runs("mknod", device.toString(), "c", "1", "7"), "only root makes devices");
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("full"));
    for (Path path : new Path[] {device, link}) {
      assertThatThrownBy(() -> AtomicFile.write(path, TEXT))
          .isInstanceOf(FileSystemException.class)
          .hasMessageStartingWith(path + ": cannot be written: ");
    }
    assertOnly("full", "link");
  }

  @Test
  void leavesFailuresOfTheContentAlone() throws IOException {
    IOException failure = new IOException("the image cannot be read");
    assertThatThrownBy(() ->
            AtomicFile.write(
                folder.resolve("a"),
                channel -> {
                  throw failure;
                }))
        .isSameAs(failure);
    assertOnly();
  }

  @Test
  void refusesABlockDevice() throws IOException {
    Path device = folder.resolve("block");
    // a number that no driver has, so that nothing could be written
    assumeTrue(runs("mknod", device.toString(), "b", "240", "240"), "only root makes devices");
    assertThatThrownBy(() -> AtomicFile.write(device, TEXT))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContainingAll("block", "is a block device");
    assertThat(kindOf(device)).isEqualTo(0x6000);
  }

  @Test
  void refusesASocket() throws IOException {
    Path path = folder.resolve("socket");
    try (ServerSocketChannel socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      socket.bind(UnixDomainSocketAddress.of(path));
      assertThatThrownBy(() -> AtomicFile.write(path, TEXT))
          .isInstanceOf(FileSystemException.class)
          .hasMessageContainingAll("socket", "is a socket");
      assertThat(kindOf(path)).isEqualTo(0xc000);
    }
  }

  @Test
  void refusesDirectories() {
    assertThatThrownBy(() -> AtomicFile.write(folder, TEXT)).hasMessageContaining("is a directory");
    assertThatThrownBy(() -> AtomicFile.write(folder.resolve("no/a"), TEXT))
        .hasMessageContaining("no such directory");
  }

  @Test
  void removesWhatDeadProcessesLeft() throws IOException, InterruptedException {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Files.writeString(folder.resolve(".big.ocellus-%d-1-abc.tmp".formatted(dead.pid())), "half");
    long self = ProcessHandle.current().pid();
    // of an earlier process with the same number
    Files.writeString(folder.resolve(".b.ocellus-%d-1-abc.tmp".formatted(self)), "half");
    Files.writeString(folder.resolve(".c.1234.tmp"), "of another program");
    Path ours = folder.resolve(Leftovers.name(Path.of("d"))); // being written by this process
    Files.writeString(ours, "half");
    AtomicFile.write(folder.resolve("a"), TEXT);
    assertOnly("a", ".c.1234.tmp", ours.getFileName().toString());
  }

  /** As of a process in another container, whose number means nothing here. */
  @Test
  void leavesWhatAnotherProcessHoldsLocked() throws IOException, InterruptedException {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Path file = folder.resolve(".a.ocellus-%d-1-abc.tmp".formatted(dead.pid()));
    Files.writeString(file, "half");
    String program =
        "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()";
    assumeTrue(runs("python3", "-c", ""), "python3 is missing");
    Process holder = new ProcessBuilder("python3", "-c", program, file.toString()).start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      AtomicFile.write(folder.resolve("a"), TEXT);
      assertThat(file).exists();
    } finally {
      holder.destroy();
      holder.waitFor();
    }
    AtomicFile.write(folder.resolve("a"), TEXT);
    assertThat(file).doesNotExist();
  }

  @Test
  void showsNoFileOfASetBeforeAllAreComplete() throws IOException {
    Path first = folder.resolve("first");
    Path second = folder.resolve("second");
    try (AtomicFileSet set = new AtomicFileSet()) {
      set.write(first, channel -> channel.write(java.nio.ByteBuffer.wrap(TEXT)));
      set.write(second, channel -> channel.write(java.nio.ByteBuffer.wrap(TEXT)));
      assertThat(first).doesNotExist();
      set.commit();
    }
    assertOnly("first", "second");
    try (AtomicFileSet set = new AtomicFileSet()) {
      set.write(folder.resolve("third"), channel -> {});
    }
    assertOnly("first", "second");
  }

  @Test
  void canBeReadWhileItIsReplaced() throws IOException {
    Path file = Files.writeString(folder.resolve("a"), "old");
    try (FileChannel old = FileChannel.open(file, StandardOpenOption.READ)) {
      AtomicFile.write(file, TEXT);
      assertThat(old.size()).isEqualTo(3);
    }
  }
}
