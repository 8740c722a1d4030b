package dev.ocellus.testkit;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/**
 * A program of the documentation: one source file, compiled and run as it is printed, with the
 * class path of the tests.
 *
 * @param source the file, which is called as its class
 */
public record PrintedProgram(Path source) {
  private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");

  /**
   * Compiles and runs it.
   *
   * @param classes an empty directory, for its classes
   * @param arguments of its {@code main}
   * @return what it printed
   * @throws AssertionError if it cannot be compiled, or fails
   */
  public String run(Path classes, String... arguments) throws Exception {
    compile(classes);
    URL[] where = {classes.toUri().toURL()};
    try (var loader = new URLClassLoader(where, PrintedProgram.class.getClassLoader())) {
      Method main = loader.loadClass(className()).getDeclaredMethod("main", String[].class);
      main.setAccessible(true);
      return printed(loader, () -> main.invoke(null, (Object) arguments));
    }
  }

  private String className() throws IOException {
    Matcher in = PACKAGE.matcher(Files.readString(source));
    String name = source.getFileName().toString().replaceFirst("\\.java$", "");
    return in.find() ? in.group(1) + "." + name : name;
  }

  private void compile(Path classes) {
    List<String> arguments =
        new ArrayList<>(
            List.of("-proc:none", "-parameters", "-d", classes.toString(), "-cp", classPath()));
    arguments.add(source.toString());
    var messages = new ByteArrayOutputStream();
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, messages, messages, arguments.toArray(String[]::new));
    if (status != 0) {
      throw new AssertionError(
          source + " cannot be compiled:\n" + messages.toString(StandardCharsets.UTF_8));
    }
  }

  /** That of the tests, also where Surefire hides it in the manifest of a jar. */
  private static String classPath() {
    return System.getProperty("surefire.test.class.path", "")
        + File.pathSeparator
        + System.getProperty("java.class.path");
  }

  private interface Run {
    void run() throws ReflectiveOperationException;
  }

  private String printed(ClassLoader loader, Run run) throws ReflectiveOperationException {
    Thread thread = Thread.currentThread();
    ClassLoader loaderBefore = thread.getContextClassLoader();
    PrintStream before = System.out;
    var bytes = new ByteArrayOutputStream();
    thread.setContextClassLoader(loader);
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      run.run();
    } catch (InvocationTargetException e) {
      throw new AssertionError(source + " failed", e.getCause());
    } finally {
      System.setOut(before);
      thread.setContextClassLoader(loaderBefore);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** What its {@code main} does, without indentation, as pages of the documentation show it. */
  public String body() throws IOException {
    String text = Files.readString(source);
    String main = text.substring(text.indexOf(" main(String"));
    String body = main.substring(main.indexOf("{\n") + 2);
    String end = "\n  }\n";
    return body.substring(0, body.indexOf(end) + 1).replaceAll("(?m)^    ", "");
  }
}
