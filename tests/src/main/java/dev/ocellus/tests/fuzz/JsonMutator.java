package dev.ocellus.tests.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/** Changes values of a JSON file, which stays one. */
final class JsonMutator {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private JsonMutator() {}

  static byte[] mutate(byte[] file, RandomGenerator random) throws IOException {
    JsonNode root = JSON.readTree(file);
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times; i++) {
      List<JsonNode> containers = new ArrayList<>();
      collect(root, containers);
      change(EdgeValues.one(containers, random), random);
    }
    return root.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static void collect(JsonNode node, List<JsonNode> containers) {
    if (node.isContainerNode()) {
      containers.add(node);
      node.forEach(child -> collect(child, containers));
    }
  }

  private static void change(JsonNode container, RandomGenerator random) {
    if (container instanceof ObjectNode object) {
      List<String> names = new ArrayList<>();
      for (Map.Entry<String, JsonNode> e : object.properties()) {
        names.add(e.getKey());
      }
      if (names.isEmpty()) {
        object.set("x", value(random));
        return;
      }
      String name = EdgeValues.one(names, random);
      switch (random.nextInt(6)) {
        case 0 -> object.remove(name);
        case 1 -> object.set(EdgeValues.one(names, random), object.get(name));
        default -> object.set(name, value(random));
      }
    } else if (container instanceof ArrayNode array) {
      if (array.isEmpty() || random.nextInt(3) == 0) {
        array.add(value(random));
      } else if (random.nextInt(3) == 0) {
        array.remove(random.nextInt(array.size()));
      } else {
        array.set(random.nextInt(array.size()), value(random));
      }
    }
  }

  private static JsonNode value(RandomGenerator random) {
    return switch (random.nextInt(9)) {
      case 0 -> NODES.nullNode();
      case 1 -> NODES.booleanNode(random.nextBoolean());
      case 2 -> NODES.textNode("");
      case 3 -> NODES.textNode("x".repeat(random.nextInt(300)) + "\0\ud800\n");
      case 4 -> NODES.arrayNode().add(1).add("a").addNull();
      case 5 -> NODES.objectNode().put("type", "Sequence").put("content", 1);
      case 6 -> NODES.numberNode(random.nextDouble() * 1e300);
      default -> NODES.numberNode(EdgeValues.integer(4, random));
    };
  }
}
