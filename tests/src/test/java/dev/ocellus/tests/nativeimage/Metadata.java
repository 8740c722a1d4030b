package dev.ocellus.tests.nativeimage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** {@code reachability-metadata.json} of a module. */
final class Metadata {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final ObjectNode root;

  private Metadata(Path file, ObjectNode root) {
    this.file = file;
    this.root = root;
  }

  /**
   * That of a module.
   *
   * @param module its folder
   * @param artifact its name in Maven
   */
  static Metadata of(Path module, String artifact) throws IOException {
    Path file =
        module.resolve(
            "src/main/resources/META-INF/native-image/dev.ocellus/"
                + artifact
                + "/reachability-metadata.json");
    boolean there = Files.exists(file);
    return new Metadata(
        file, there ? (ObjectNode) JSON.readTree(file.toFile()) : JSON.createObjectNode());
  }

  /** Function descriptors of {@code downcalls} or {@code upcalls}. */
  Set<ForeignCall> calls(String kind) {
    Set<ForeignCall> calls = new TreeSet<>();
    for (JsonNode call : root.path("foreign").path(kind)) {
      List<String> parameters = new ArrayList<>();
      call.path("parameterTypes").forEach(type -> parameters.add(type.asText()));
      calls.add(new ForeignCall(call.path("returnType").asText(), parameters));
    }
    return calls;
  }

  void addCalls(String kind, Collection<ForeignCall> more) {
    Set<ForeignCall> all = calls(kind);
    all.addAll(more);
    ArrayNode calls = root.withObject("/foreign").putArray(kind);
    for (ForeignCall call : all) {
      ObjectNode entry = calls.addObject().put("returnType", call.returnType());
      ArrayNode parameters = entry.putArray("parameterTypes");
      call.parameterTypes().forEach(parameters::add);
    }
  }

  /** Names of types that are found by name, or whose members are. */
  Set<String> types() {
    Set<String> types = new TreeSet<>();
    root.path("reflection").forEach(entry -> types.add(entry.path("type").asText()));
    return types;
  }

  void setTypes(Collection<String> wanted) {
    ArrayNode entries = root.putArray("reflection");
    for (String type : new TreeSet<>(wanted)) {
      entries
          .addObject()
          .put("type", type)
          .put("allDeclaredConstructors", true)
          .put("allDeclaredFields", true)
          .put("allDeclaredMethods", true);
    }
  }

  /** Whether a resource is among those that the image keeps. */
  boolean keeps(Path resource) {
    for (JsonNode entry : root.path("resources")) {
      String glob = "glob:" + entry.path("glob").asText();
      if (FileSystems.getDefault().getPathMatcher(glob).matches(resource)) {
        return true;
      }
    }
    return false;
  }

  void addResource(String glob) {
    ArrayNode resources = root.withArray("/resources");
    resources.addObject().put("glob", glob);
  }

  void write() throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n");
  }

  @Override
  public String toString() {
    return file.toString();
  }
}
