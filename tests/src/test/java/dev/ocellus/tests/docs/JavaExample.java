package dev.ocellus.tests.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * An example as documentation prints it. It becomes the body of a method; the variables that the
 * text around it speaks of are fields, which its own variables of the same names hide.
 */
record JavaExample(String name, String code) {
  private static final Pattern FENCE = Pattern.compile("```java\\n(.*?)```", Pattern.DOTALL);
  private static final Pattern JAVADOC =
      Pattern.compile("<pre>\\{@code\\n(.*?)\\n \\* \\}</pre>", Pattern.DOTALL);
  private static final Pattern PATH = Pattern.compile("Path\\.of\\(\"([^\"]*)\"\\)");

  /** The blocks marked as Java of a page in Markdown, in their order. */
  static List<JavaExample> ofMarkdown(Path page) throws IOException {
    return FENCE
        .matcher(Files.readString(page))
        .results()
        .map(m -> new JavaExample(page.getFileName().toString(), m.group(1)))
        .toList();
  }

  /** The examples in the documentation comments of a source file. */
  static List<JavaExample> ofJavadoc(Path source) throws IOException {
    return JAVADOC
        .matcher(Files.readString(source))
        .results()
        .map(m -> m.group(1).replaceAll("(?m)^ \\* ?", ""))
        .map(code -> new JavaExample(source.getFileName().toString(), code))
        .toList();
  }

  /** The same example with other files; every file that it names must be among them. */
  JavaExample withFiles(Map<String, Path> files) {
    String replaced =
        PATH.matcher(code)
            .replaceAll(m -> {
              assertThat(files).as("files that %s names", name).containsKey(m.group(1));
              String file =
                  Objects.requireNonNull(files.get(m.group(1))).toString().replace("\\", "\\\\");
              return Matcher.quoteReplacement("Path.of(\"" + file + "\")");
            });
    return new JavaExample(name, replaced);
  }

  /** The same example with code behind it, which may use its variables. */
  JavaExample followedBy(String more) {
    return new JavaExample(name, code + "\n" + more);
  }

  /**
   * Compiles and runs it.
   *
   * @param directory where the class file goes
   * @param variables fields that it finds, by name
   * @return what it printed
   */
  String run(Path directory, Map<String, Object> variables) throws Exception {
    compile(directory, variables);
    URL[] classes = {directory.toUri().toURL()};
    try (var loader = new URLClassLoader(classes, JavaExample.class.getClassLoader())) {
      Class<?> type = loader.loadClass("Example");
      for (Map.Entry<String, Object> variable : variables.entrySet()) {
        type.getField(variable.getKey()).set(null, variable.getValue());
      }
      return printed(type);
    }
  }

  /**
   * Compiles it alone, where running it needs what tests do not have.
   *
   * @param directory where the class file goes
   * @param variables as of {@link #run}
   */
  void compile(Path directory, Map<String, Object> variables) throws IOException {
    StringBuilder fields = new StringBuilder();
    variables.forEach((variable, value) -> {
      String type = value instanceof Path ? "Path" : value.getClass().getTypeName();
      fields.append("  public static %s %s;\n".formatted(type, variable));
    });
    String source =
        """
        import dev.ocellus.*;
        import dev.ocellus.hub.*;
        import dev.ocellus.llama.*;
        import dev.ocellus.search.*;
        import dev.ocellus.vlm.*;
        import dev.ocellus.vlm.chat.*;
        import dev.ocellus.vlm.embedding.*;
        import dev.ocellus.vlm.image.*;
        import dev.ocellus.vlm.image.codec.*;
        import dev.ocellus.vlm.image.document.*;
        import dev.ocellus.vlm.imagetext.*;
        import dev.ocellus.vlm.ocr.*;
        import dev.ocellus.vlm.options.*;
        import dev.ocellus.vlm.sampling.*;
        import java.nio.file.Files;
        import java.nio.file.Path;
        import java.util.ArrayList;
        import java.util.List;
        import java.util.concurrent.Executors;
        import java.util.concurrent.Future;

        public final class Example {
        %s
          public static void run() throws Exception {
        %s
          }
        }
        """
            .formatted(fields, code);
    Path file = Files.writeString(directory.resolve("Example.java"), source);
    compile(file, source, List.of("-cp", classPath()));
  }

  /** Compiles it as what a module says of itself, with the modules of Ocellus. */
  void compileAsModule(Path directory) throws IOException {
    Path file = Files.writeString(directory.resolve("module-info.java"), code);
    compile(file, code, List.of("--module-path", classPath()));
  }

  private void compile(Path file, String source, List<String> where) throws IOException {
    List<String> options = new ArrayList<>(where);
    options.addAll(List.of("-proc:none", "-d", file.resolveSibling(".").normalize().toString()));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      boolean compiled =
          compiler
              .getTask(messages, files, null, options, null, files.getJavaFileObjects(file))
              .call();
      assertThat(compiled).as("%s:%n%s%n%s", name, source, messages).isTrue();
    }
  }

  /** That of the tests, also where Surefire hides it in the manifest of a jar. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", "")
        + File.pathSeparator
        + System.getProperty("java.class.path");
  }

  private static String printed(Class<?> type) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      type.getMethod("run").invoke(null);
    } catch (InvocationTargetException e) {
      throw new AssertionError("The example failed", e.getCause());
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
