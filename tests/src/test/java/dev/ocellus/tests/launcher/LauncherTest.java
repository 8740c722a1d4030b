package dev.ocellus.tests.launcher;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The script {@code ocellus} in a fresh copy of what it needs of the project, with an {@code mvn}
 * that "builds" {@link LauncherProbe}.
 */
@EnabledOnOs({OS.LINUX, OS.MAC})
class LauncherTest {
  private static final Path PROJECT = Path.of("..");

  /** What the script and this {@code mvn} need of the system. */
  private static final List<String> TOOLS =
      List.of(
          "cat",
          "cp",
          "date",
          "dirname",
          "find",
          "grep",
          "mkdir",
          "mv",
          "readlink",
          "rm",
          "sed",
          "sleep",
          "tail",
          "touch");

  @TempDir private Path temporary;

  private Path root;
  private Path state;
  private Path bin;
  private final List<Process> started = new ArrayList<>();

  /** How a run ended. */
  private record Run(int status, String out, String err) {}

  @BeforeEach
  void copy() throws IOException {
    root = temporary.resolve("a folder with a space");
    state = root.resolve("target/launcher");
    bin = Files.createDirectories(temporary.resolve("bin"));
    for (String file : List.of("ocellus", "scripts/find-jdk.sh")) {
      Files.createDirectories(root.resolve(file).getParent());
      Files.copy(PROJECT.resolve(file), root.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
    }
    for (String file : List.of("pom.xml", "cli/pom.xml", "cli/src/main/Main.java")) {
      Files.createDirectories(root.resolve(file).getParent());
      Files.writeString(root.resolve(file), "");
    }
    Files.createDirectories(root.resolve("ggml-native/target/classes"));
    for (String tool : TOOLS) {
      script(bin.resolve(tool), "exec %s \"$@\"".formatted(tool(tool)));
    }
    mvn("");
  }

  @AfterEach
  void end() {
    started.forEach(Process::destroyForcibly);
  }

  private static Path tool(String name) {
    return Stream.of("/bin", "/usr/bin")
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst()
        .orElseThrow();
  }

  /** An {@code mvn} that tells of itself, runs some lines, and copies the program. */
  private void mvn(String lines) throws IOException {
    Path jar = temporary.resolve("ocellus.jar");
    jar(jar);
    script(
        bin.resolve("mvn"),
        """
        echo "$@" >>'%1$s/builds'
        %2$s
        mkdir -p '%3$s/cli/target/dist'
        cp '%4$s' '%3$s/cli/target/dist/ocellus.jar'
        """
            .formatted(temporary, lines, root, jar));
  }

  private static void script(Path file, String lines) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + lines + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private static void jar(Path file) throws IOException {
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, LauncherProbe.class.getName());
    String name = LauncherProbe.class.getName().replace('.', '/') + ".class";
    try (JarOutputStream jar = new JarOutputStream(Files.newOutputStream(file), manifest);
        var in = LauncherProbe.class.getResourceAsStream("/" + name)) {
      jar.putNextEntry(new JarEntry(name));
      in.transferTo(jar);
      jar.closeEntry();
    }
  }

  private Process start(Path launcher, Map<String, String> more, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(launcher.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(temporary.toFile());
    builder.environment().clear();
    builder.environment().put("PATH", bin.toString());
    builder.environment().put("HOME", temporary.toString());
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(more);
    Process process = builder.start();
    started.add(process);
    return process;
  }

  private Run run(String... arguments) throws IOException, InterruptedException {
    return run(Map.of(), arguments);
  }

  private Run run(Map<String, String> more, String... arguments)
      throws IOException, InterruptedException {
    return end(start(root.resolve("ocellus"), more, arguments));
  }

  private static Run end(Process process) throws IOException, InterruptedException {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), out, err);
  }

  private long nBuilds() throws IOException {
    Path builds = temporary.resolve("builds");
    return Files.exists(builds) ? Files.readAllLines(builds).size() : 0;
  }

  private void assertRan(Run run) {
    assertThat(run.out()).as(run.err()).isEqualTo("[x]\n");
    assertThat(run.status()).isEqualTo(LauncherProbe.STATUS);
  }

  @Test
  void aFreshCopyIsBuiltOnceAndArgumentsAndStatusPassThrough() throws Exception {
    Run first = run("describe", "two words", "", "Bär*.png", "$HOME");
    assertThat(first.err()).startsWith("ocellus: building Ocellus for the first use");
    assertThat(first.out()).isEqualTo("[describe]\n[two words]\n[]\n[Bär*.png]\n[$HOME]\n");
    assertThat(first.status()).isEqualTo(LauncherProbe.STATUS);
    Run second = run("x");
    assertRan(second);
    assertThat(second.err()).isEmpty();
    assertThat(nBuilds()).isEqualTo(1);
  }

  @Test
  void whatIsReadIntoMemoryGetsLargePagesUnlessTheUserChoseOtherwise() throws Exception {
    assertRan(run("x"));
    assertThat(run("serve", "--no-mmap").out())
        .isEqualTo("[serve]\n[--no-mmap]\nglibc.malloc.hugetlb=1\n");
    Run chosen = run(Map.of("GLIBC_TUNABLES", "glibc.malloc.hugetlb=0"), "chat", "--no-mmap");
    assertThat(chosen.out()).isEqualTo("[chat]\n[--no-mmap]\nglibc.malloc.hugetlb=0\n");
  }

  @Test
  void aSourceThatIsNewerIsBuilt() throws Exception {
    assertRan(run("x"));
    Files.setLastModifiedTime(
        root.resolve("cli/src/main/Main.java"), FileTime.from(Instant.now().plusSeconds(60)));
    Run again = run("x");
    assertRan(again);
    assertThat(again.err()).startsWith("ocellus: sources have changed; building");
    assertThat(nBuilds()).isEqualTo(2);
  }

  @Test
  void theScriptIsFoundThroughALink() throws Exception {
    Path link = Files.createSymbolicLink(temporary.resolve("oc"), root.resolve("ocellus"));
    assertRan(end(start(link, Map.of(), "x")));
    assertThat(state.resolve("current")).exists();
  }

  /** State that another version, a full disk or an end of the power may have left. */
  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "/nowhere/app\n/nowhere/jdk\n\n", "one line without an end"})
  void stateThatDoesNotFitIsMadeAnew(String current) throws Exception {
    Files.createDirectories(state);
    Files.writeString(state.resolve("current"), current);
    Files.writeString(state.resolve("stamp"), "");
    assertRan(run("x"));
    assertThat(nBuilds()).isEqualTo(1);
    Run again = run("x");
    assertRan(again);
    assertThat(again.err()).isEmpty();
  }

  @Test
  void theLockOfAProcessThatDiedIsTakenOver() throws Exception {
    Process dead = new ProcessBuilder("sh", "-c", "exit 0").start();
    dead.waitFor();
    Files.createDirectories(state.resolve("lock"));
    Files.writeString(state.resolve("lock/pid"), dead.pid() + "\n");
    assertRan(run("x"));
    assertThat(state.resolve("lock")).doesNotExist();
  }

  @Test
  void aJdkThatIsGoneIsReplacedByAnother() throws Exception {
    assertRan(run("x"));
    List<String> lines = Files.readAllLines(state.resolve("current"));
    Files.write(state.resolve("current"), List.of(lines.get(0), "/nowhere/jdk", lines.get(2)));
    assertRan(run("x"));
    assertThat(nBuilds()).isEqualTo(1);
  }

  @Test
  void anArchiveOfClassesThatIsDamagedIsNoReasonForAMessage() throws Exception {
    assertRan(run("x"));
    Path app = Path.of(Files.readAllLines(state.resolve("current")).getFirst());
    for (String archive : List.of("ocellus.jsa", "ocellus.aot", "serve.aot")) {
      Files.writeString(app.resolve(archive), "damaged");
    }
    for (String command : List.of("x", "describe", "serve")) {
      Run again = run(command);
      assertThat(again.out()).isEqualTo("[%s]\n".formatted(command));
      assertThat(again.err()).isEmpty();
    }
  }

  @Test
  void ofTwoAtOnceOneBuildsAndTheOtherWaits() throws Exception {
    Path begun = fifo("begun");
    Path go = fifo("go");
    mvn("echo >'%s'; read -r line <'%s'".formatted(begun, go));
    Process first = start(root.resolve("ocellus"), Map.of(), "x");
    try (BufferedReader in = Files.newBufferedReader(begun)) {
      in.readLine(); // it builds
    }
    Process second = start(root.resolve("ocellus"), Map.of(), "x");
    BufferedReader messages = second.errorReader();
    assertThat(messages.readLine()).startsWith("ocellus: waiting for another process");
    Files.writeString(go, "go\n");
    for (Process process : List.of(first, second)) {
      assertThat(process.inputReader().readLine()).isEqualTo("[x]");
      assertThat(process.waitFor()).isEqualTo(LauncherProbe.STATUS);
    }
    assertThat(nBuilds()).isEqualTo(1);
  }

  private Path fifo(String name) throws IOException, InterruptedException {
    Path fifo = temporary.resolve(name);
    assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
    return fifo;
  }

  @Test
  void withoutAJdkItSaysWhatItLookedAt() throws Exception {
    Path script = root.resolve("scripts/find-jdk.sh");
    // this machine has one, which is now too old
    Files.writeString(
        script, Files.readString(script).replaceAll("(?m)^MIN_JDK=\\d+$", "MIN_JDK=999"));
    Run run = run(Map.of("JAVA_HOME", "/nowhere"), "x");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out()).isEmpty();
    assertThat(run.err())
        .contains(
            "ocellus: needs a JDK 999 or newer, and found none.",
            "JAVA_HOME (/nowhere)",
            "/nowhere: no JDK",
            "Install one (for example Temurin 25) or point JAVA_HOME at it.");
    assertThat(nBuilds()).isZero();
    assertThat(state.resolve("lock")).doesNotExist();
  }

  @Test
  void withoutMavenItSaysSo() throws Exception {
    Files.delete(bin.resolve("mvn"));
    Run run = run("x");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo(
            "ocellus: Maven is needed to build Ocellus, and there is no mvn on the PATH. Install Maven 3.8.6 or newer.\n");
    assertThat(state.resolve("lock")).doesNotExist();
  }

  @Test
  void aBuildThatFailsIsShownAndTriedAgain() throws Exception {
    mvn("echo '[ERROR] no space left on device'; exit 1");
    Run run = run("x");
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).contains("[ERROR] no space left on device", "ocellus: the build failed");
    mvn("");
    assertRan(run("x"));
    assertThat(nBuilds()).isEqualTo(2);
  }
}
