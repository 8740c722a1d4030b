package dev.ocellus.tests.bench.suite;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The two sides of a measurement, and what both are given.
 *
 * @param root folder of the program
 * @param peer folder of llama.cpp's tools
 * @param threads of either side
 * @param python one that has Pillow
 */
record Sides(Path root, Path peer, Inputs inputs, String threads, String python) {
  /** The command line of Ocellus. */
  String program() {
    return root.resolve("ocellus").toString();
  }

  /** Runs one of our benchmarks in a JVM like this one. */
  static Finished own(Class<?> main, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    Collections.addAll(command, arguments);
    return Finished.run(command);
  }

  /** Runs one of llama.cpp's tools. */
  Finished tool(String name, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(peer.resolve(name).toString()));
    Collections.addAll(command, arguments);
    return Finished.run(command);
  }

  /** Words of a command line, one after the other. */
  static String[] with(String[] first, Object... more) {
    List<String> all = new ArrayList<>(List.of(first));
    for (Object value : more) {
      all.add(value.toString());
    }
    return all.toArray(String[]::new);
  }
}
