package dev.ocellus.tests.packages;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Files that state a version or list artifacts, but are not read by the usual build. */
class VersionsTest {
  private static final Path ROOT = Path.of("..");
  private static final Pattern PROJECT_VERSION =
      Pattern.compile("<artifactId>ocellus-parent</artifactId>\\s*<version>([^<]+)</version>");
  private static final Pattern ARTIFACT = Pattern.compile("<artifactId>(ocellus-[a-z0-9-]+)<");
  private static final Pattern CLASSIFIER = Pattern.compile("<classifier>natives-([^<]+)<");
  private static final Pattern ATTACHED = Pattern.compile("<attach bundle=\"([^\"]+)\"/>");

  private static String read(String file) throws IOException {
    return Files.readString(ROOT.resolve(file));
  }

  private static List<String> found(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(m -> m.group(1)).toList();
  }

  private static String version() throws IOException {
    return found(PROJECT_VERSION, read("pom.xml")).getFirst();
  }

  /** The modules' own names, of all folders with a POM. */
  private static Set<String> published() throws IOException {
    Set<String> names = new TreeSet<>();
    try (Stream<Path> files = Files.walk(ROOT, 3)) {
      for (Path pom : files.filter(f -> f.endsWith("pom.xml")).toList()) {
        String text = Files.readString(pom);
        boolean ours = text.contains("<artifactId>ocellus-parent</artifactId>");
        if (ours
            && !text.contains("<maven.deploy.skip>true")
            && !pom.equals(ROOT.resolve("pom.xml"))) {
          String own = text.substring(text.indexOf("</parent>"));
          names.add(found(ARTIFACT, own).getFirst());
        }
      }
    }
    return names;
  }

  @Test
  void theBomNamesEveryArtifact() throws IOException {
    String bom = read("bom/pom.xml");
    assertThat(published()).contains("ocellus-vlm", "ocellus-starter");
    assertThat(found(ARTIFACT, bom.substring(bom.indexOf("<dependencies>"))))
        .containsAll(published());
    assertThat(bom).contains("<version>" + version() + "</version>");
  }

  @Test
  void theBomNamesEveryBundleOfLibrariesThatIsAttached() throws IOException {
    List<String> attached = found(ATTACHED, read("ggml-native/pom.xml"));
    assertThat(attached).contains("linux-x64", "win-x64-cuda", "onednn-win-x64");
    assertThat(found(CLASSIFIER, read("bom/pom.xml"))).containsExactlyElementsOf(attached);
    assertThat(attached).containsAll(found(CLASSIFIER, read("starter/pom.xml")));
    Set<String> pinned =
        read("ggml-native/package-lock.json")
            .lines()
            .filter(line -> line.contains("\"node_modules/@node-llama-cpp/"))
            .map(line -> line.replaceAll(".*node-llama-cpp/([^\"]+)\".*", "$1"))
            .filter(name -> !name.endsWith("-ext")) // an older CUDA, by a profile of the build
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(attached).containsAll(pinned);
    Set<String> accelerators =
        read("ggml-native/accelerators.lock")
            .lines()
            .filter(line -> !line.startsWith("#"))
            .map(line -> line.split(" ")[0] + "-" + line.split(" ")[2])
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(attached).containsAll(accelerators);
    assertThat(attached).hasSize(pinned.size() + accelerators.size());
  }

  @Test
  void theStarterHasTheCpuLibrariesOfEveryPlatform() throws IOException {
    assertThat(found(CLASSIFIER, read("starter/pom.xml")))
        .contains("linux-x64", "linux-arm64", "mac-arm64-metal", "mac-x64", "win-x64", "win-arm64");
  }

  @Test
  void whatJBangAndTheConsumerTakeIsThisVersion() throws IOException {
    JsonNode aliases = new ObjectMapper().readTree(read("jbang-catalog.json")).path("aliases");
    String starter = "dev.ocellus:ocellus-starter:" + version();
    assertThat(aliases.at("/ocellus/script-ref").asText())
        .isEqualTo("dev.ocellus:ocellus-cli:" + version());
    assertThat(aliases.at("/ocellus/dependencies/0").asText()).isEqualTo(starter);
    String script = aliases.at("/describe/script-ref").asText();
    assertThat(ROOT.resolve(script)).exists();
    assertThat(read(script)).contains("//DEPS " + starter + "\n");
    assertThat(read("tests/consumer/pom.xml"))
        .contains("<ocellus.version>" + version() + "</ocellus.version>");
  }
}
