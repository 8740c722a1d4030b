package dev.ocellus.spark;

/** The Java that models need, checked before a class is touched that only loads there. */
final class JavaRequirement {
  private static final int MINIMUM = 22;

  private JavaRequirement() {}

  /** Checks the Java of this process. */
  static void check(String process) throws UnsupportedJavaException {
    check(process, Runtime.version().feature(), System.getProperty("java.home"));
  }

  static void check(String process, int version, String home) throws UnsupportedJavaException {
    if (version < MINIMUM) {
      throw new UnsupportedJavaException(
          "%s runs on Java %d (%s), and models need %d or newer. Start Spark's workers with JAVA_HOME at a newer JDK, such as 25, or set spark.executorEnv.JAVA_HOME for the executors, and JAVA_HOME for the driver."
              .formatted(process, version, home, MINIMUM));
    }
  }
}
