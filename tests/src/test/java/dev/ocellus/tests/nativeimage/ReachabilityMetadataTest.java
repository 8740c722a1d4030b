package dev.ocellus.tests.nativeimage;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.File;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The files for native images name what the program links, finds by name and reads. {@code
 * -Docellus.metadata=write} adds what they lack, to be looked over and committed.
 */
class ReachabilityMetadataTest {
  private static final Path ROOT = Path.of("..");
  private static final boolean WRITE = "write".equals(System.getProperty("ocellus.metadata"));
  private static final String IMAGE = "docs/pictures/red-circle.png";

  @TempDir Path temp;

  private static Metadata natives() throws IOException {
    return Metadata.of(ROOT.resolve("ggml-native"), "ocellus-ggml-native");
  }

  private static Metadata bindings() throws IOException {
    return Metadata.of(ROOT.resolve("bindings"), "ocellus-bindings");
  }

  /** What a command links, as lines. */
  private List<String> linked(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--add-opens=java.base/jdk.internal.foreign.abi=ALL-UNNAMED",
                "-Docellus.accel.everything=true",
                "-cp",
                System.getProperty("surefire.test.class.path", "")
                    + File.pathSeparator
                    + System.getProperty("java.class.path"),
                LinkedCalls.class.getName()));
    command.addAll(List.of(arguments));
    Path errors = temp.resolve("errors");
    Process process =
        new ProcessBuilder(command).directory(ROOT.toFile()).redirectError(errors.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(out + Files.readString(errors)).isZero();
    List<String> unknown = out.lines().filter(line -> line.startsWith("UNKNOWN\t")).toList();
    if (!unknown.isEmpty()) {
      String why = "this JDK's linker does not tell what was linked: " + unknown;
      System.err.println(why);
      Assumptions.abort(why);
    }
    return out.lines().toList();
  }

  private static Set<ForeignCall> ofKind(String kind, List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith(kind + "\t"))
        .map(line -> ForeignCall.parse(line.substring(kind.length() + 1)))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void everyFunctionThatIsLinkedIsNamed() throws Exception {
    List<String> lines = new ArrayList<>(linked("describe", "-q", IMAGE));
    lines.addAll(linked("embed", "-q", "--image", IMAGE));
    lines.addAll(
        linked("generate", "-q", "--seed", "7", "--out", temp.resolve("x.png").toString()));
    lines.addAll(linked("devices"));
    // its large products are what the steps of OpenBLAS are used for
    lines.addAll(linked("bench", "-q", "-p", "1", "-n", "1", "-r", "1"));
    Path chats = temp.resolve("chats.json");
    Files.writeString(
        chats,
        """
        [{"messages": [{"role": "user", "content": "What is there?"}, {"role": "assistant", "content": "a red circle"}]}]
        """);
    lines.addAll(
        linked(
            "imatrix",
            "-q",
            "--messages",
            chats.toString(),
            "-o",
            temp.resolve("i.gguf").toString()));
    Metadata file = bindings();
    for (String kind : List.of("downcalls", "upcalls")) {
      Set<ForeignCall> used =
          ofKind(kind.substring(0, kind.length() - 1).toUpperCase(java.util.Locale.ROOT), lines);
      assertThat(used).as(kind).hasSizeGreaterThan(2); // of callbacks there are three types
      used.removeAll(natives().calls(kind));
      if (WRITE) {
        file.addCalls(kind, used);
      }
      assertThat(file.calls(kind)).as(kind + " of " + file).containsAll(used);
    }
    if (WRITE) {
      file.write();
    }
  }

  @Test
  void everyTypeThatIsFoundByNameIsNamed() throws Exception {
    Set<String> wanted = new TreeSet<>();
    Class<?> used = Class.forName("dev.ocellus.ggml.UsedBindings");
    for (String name : strings(used, "FUNCTIONS")) {
      wanted.add("dev.ocellus.ffi.ggml_h$" + name);
    }
    for (String name : strings(used, "CLASSES")) {
      Class<?> type = Class.forName("dev.ocellus.ffi." + name, false, getClass().getClassLoader());
      wanted.add(type.getName());
      if (!name.equals("ggml_h")) {
        addNested(type, wanted);
      }
    }
    JavaClasses classes = classes();
    for (JavaClass type : classes) {
      boolean makesUpcalls =
          type.getMethodCallsFromSelf().stream()
              .anyMatch(call ->
                  call.getTargetOwner().getName().equals("dev.ocellus.ggml.Upcalls")
                      && call.getTarget().getRawParameterTypes().size() > 2); // by a name
      if (makesUpcalls && !type.getName().equals("dev.ocellus.ggml.Upcalls")) {
        wanted.add(type.getName());
      }
    }
    check(bindings(), wanted);
  }

  @Test
  void everyClassOfTheCommandLineIsNamed() throws Exception {
    Set<String> wanted = new TreeSet<>();
    for (JavaClass type : classes()) {
      if (!type.getPackageName().startsWith("dev.ocellus.cli")) {
        continue;
      }
      boolean annotated =
          Stream.concat(
                  type.getAnnotations().stream(),
                  type.getMembers().stream().flatMap(member -> member.getAnnotations().stream()))
              .anyMatch(a -> a.getRawType().getName().startsWith("picocli."));
      boolean made =
          type.isAssignableTo("picocli.CommandLine$ITypeConverter")
              || type.isAssignableTo("picocli.CommandLine$IVersionProvider")
              || type.getName().startsWith("dev.ocellus.cli.options.TypeNames$");
      if (annotated || made) {
        wanted.add(type.getName());
      }
    }
    assertThat(wanted).hasSizeGreaterThan(30);
    check(Metadata.of(ROOT.resolve("cli"), "ocellus-cli"), wanted);
  }

  @ParameterizedTest
  @CsvSource({
    "bindings,ocellus-bindings",
    "vlm,ocellus-vlm",
    "quantize,ocellus-quantize",
    "server,ocellus-server",
    "cli,ocellus-cli"
  })
  void everyResourceIsKept(String module, String artifact) throws IOException {
    Path resources = ROOT.resolve(module).resolve("src/main/resources");
    Metadata file = Metadata.of(ROOT.resolve(module), artifact);
    List<Path> lost;
    try (Stream<Path> all = Files.walk(resources)) {
      lost =
          all.filter(Files::isRegularFile)
              .map(resources::relativize)
              .filter(path -> !path.startsWith("META-INF")) // services and metadata are known
              .filter(path -> !file.keeps(path))
              .toList();
    }
    if (WRITE) {
      lost.stream()
          .map(path -> String.valueOf(path.getParent()).replace('\\', '/') + "/*")
          .distinct()
          .sorted()
          .forEach(file::addResource);
      file.write();
      lost = List.of();
    }
    assertThat(lost).as("what " + file + " does not keep").isEmpty();
  }

  @Test
  void theLibrariesThemselvesAreKept() throws IOException {
    assertThat(natives().keeps(Path.of("META-INF/ocellus/natives/linux-x64/manifest.txt")))
        .isTrue();
    assertThat(
            natives()
                .keeps(Path.of("META-INF/ocellus/natives/linux-x64-cuda/fallback/libggml-cuda.so")))
        .isTrue();
  }

  private static void check(Metadata file, Set<String> wanted) throws IOException {
    if (WRITE) {
      file.setTypes(wanted);
      file.write();
    }
    assertThat(file.types()).as(file.toString()).containsAll(wanted);
  }

  private static void addNested(Class<?> type, Set<String> names) {
    for (Class<?> nested : type.getDeclaredClasses()) {
      names.add(nested.getName());
      addNested(nested, names);
    }
  }

  private static List<String> strings(Class<?> type, String name) throws Exception {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    List<String> texts = new ArrayList<>();
    for (Object text : (List<?>) field.get(null)) {
      texts.add((String) text);
    }
    return texts;
  }

  private static JavaClasses classes() {
    return new ClassFileImporter()
        .withImportOption(new ImportOption.DoNotIncludeTests())
        .importPackages("dev.ocellus");
  }
}
