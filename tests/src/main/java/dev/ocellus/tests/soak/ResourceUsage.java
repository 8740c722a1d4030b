package dev.ocellus.tests.soak;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import javax.management.JMException;
import javax.management.ObjectName;

/**
 * What a process uses. What only Linux tells is 0 elsewhere.
 *
 * @param resident bytes of physical memory
 * @param heap bytes of the Java heap that are reachable
 * @param committedHeap bytes of the Java heap that the JVM holds
 * @param threads of Java
 * @param files that are open
 */
record ResourceUsage(long resident, long heap, long committedHeap, int threads, int files) {
  private static final Path PROC = Path.of("/proc/self");

  /** Collects garbage first, so that the heap is what is really in use. */
  static ResourceUsage now() throws IOException {
    System.gc();
    var heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
    return new ResourceUsage(
        residentBytes(),
        heap.getUsed(),
        heap.getCommitted(),
        ManagementFactory.getThreadMXBean().getThreadCount(),
        openFiles());
  }

  /**
   * Lets the C library give the system what it keeps of freed memory, where the JVM can ask for it:
   * HotSpot on Linux with glibc.
   */
  static void trim() {
    try {
      ManagementFactory.getPlatformMBeanServer()
          .invoke(
              new ObjectName("com.sun.management:type=DiagnosticCommand"),
              "systemTrimNativeHeap",
              null,
              null);
    } catch (JMException e) {
      throw new IllegalStateException("this JVM cannot trim the native heap", e);
    }
  }

  private static long residentBytes() throws IOException {
    Path status = PROC.resolve("status");
    if (!Files.isReadable(status)) {
      return 0;
    }
    try (Stream<String> lines = Files.lines(status)) {
      return lines
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst()
          .orElse(0);
    }
  }

  private static int openFiles() throws IOException {
    Path descriptors = PROC.resolve("fd");
    if (!Files.isDirectory(descriptors)) {
      return 0;
    }
    try (Stream<Path> files = Files.list(descriptors)) {
      return (int) files.count();
    }
  }
}
