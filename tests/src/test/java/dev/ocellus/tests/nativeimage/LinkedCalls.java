package dev.ocellus.tests.nativeimage;

import dev.ocellus.cli.Main;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.TreeSet;

/**
 * Runs a command line in this JVM, and then prints each function descriptor that was linked: the
 * JVM's linker remembers them. Needs {@code
 * --add-opens=java.base/jdk.internal.foreign.abi=ALL-UNNAMED}.
 */
public final class LinkedCalls {
  private LinkedCalls() {}

  public static void main(String[] arguments) throws Exception {
    Runtime.getRuntime().addShutdownHook(new Thread(LinkedCalls::print));
    Main.main(arguments);
  }

  private static void print() {
    try {
      for (String kind : new String[] {"DOWNCALL", "UPCALL"}) {
        TreeSet<ForeignCall> calls = new TreeSet<>();
        for (Object request : cache(kind + "_CACHE").keySet()) {
          Method descriptor = request.getClass().getDeclaredMethod("descriptor");
          descriptor.setAccessible(true);
          calls.add(ForeignCall.of((FunctionDescriptor) descriptor.invoke(request)));
        }
        calls.forEach(call -> System.out.println(kind + "\t" + call.line()));
      }
    } catch (ReflectiveOperationException | RuntimeException e) {
      System.out.println("UNKNOWN\t" + e);
    }
  }

  private static Map<?, ?> cache(String name) throws ReflectiveOperationException {
    Linker linker = Linker.nativeLinker();
    Class<?> type = linker.getClass();
    while (!type.getSimpleName().equals("AbstractLinker")) {
      type = type.getSuperclass();
    }
    Object cache = field(type, name).get(linker);
    return (Map<?, ?>) field(cache.getClass(), "cache").get(cache);
  }

  private static Field field(Class<?> type, String name) throws ReflectiveOperationException {
    Field field = type.getDeclaredField(name);
    field.setAccessible(true);
    return field;
  }
}
