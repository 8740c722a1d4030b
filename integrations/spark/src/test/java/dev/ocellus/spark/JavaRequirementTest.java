package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataInputStream;
import java.io.InputStream;
import java.util.List;
import org.junit.jupiter.api.Test;

class JavaRequirementTest {
  private static final int JAVA_17 = 61;

  @Test
  void saysWhatRunsWhereAndWhatToSet() {
    assertThatThrownBy(() -> JavaRequirement.check("An executor", 21, "/opt/jdk-21"))
        .isInstanceOf(UnsupportedJavaException.class)
        .hasMessageContaining("An executor runs on Java 21 (/opt/jdk-21)")
        .hasMessageContaining("spark.executorEnv.JAVA_HOME");
    assertThatCode(() -> JavaRequirement.check("An executor", 22, "/opt/jdk-22"))
        .doesNotThrowAnyException();
  }

  /** What is read before the check has to load there. */
  @Test
  void isReadByJava17() throws Exception {
    List<Class<?>> first =
        List.of(RowFunction.class, ModelSource.class, AnswerRequest.class, JavaRequirement.class);
    for (Class<?> c : first) {
      try (InputStream file = c.getResourceAsStream(c.getSimpleName() + ".class");
          DataInputStream in = new DataInputStream(file)) {
        assertThat(in.readInt()).isEqualTo(0xCAFEBABE);
        in.readUnsignedShort();
        assertThat(in.readUnsignedShort()).as(c.getName()).isLessThanOrEqualTo(JAVA_17);
      }
    }
  }
}
