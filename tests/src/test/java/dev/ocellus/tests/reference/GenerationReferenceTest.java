package dev.ocellus.tests.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ocellus.compute.Accelerator;
import dev.ocellus.vlm.generation.ComputeOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Models that make images, over golden data in the layout of the other families'. */
class GenerationReferenceTest {
  /** Pixels and logits before rounding; what the issue of such models asks of decoders. */
  private static final double CLOSE = 1e-4;

  /** Greedy choices may differ where the best two are nearer than this. */
  private static final double LOGITS = 3e-4;

  @TempDir Path directory;

  @TestFactory
  Stream<DynamicNode> equalsTransformers() {
    List<GenerationReference> all =
        Reference.all().stream().flatMap(r -> GenerationReference.in(r).stream()).toList();
    assertThat(all).isNotEmpty();
    return all.stream().map(this::container);
  }

  private DynamicNode container(GenerationReference reference) {
    return DynamicContainer.dynamicContainer(
        reference.model(),
        reference.cases().stream()
            .flatMap(c ->
                Stream.of(Accelerator.AUTO, Accelerator.OFF)
                    .map(accelerator ->
                        DynamicTest.dynamicTest(
                            c.name() + " " + accelerator,
                            () -> compare(reference, c, accelerator)))));
  }

  private void compare(
      GenerationReference reference, GenerationReference.Case c, Accelerator accelerator)
      throws IOException {
    ComputeOptions cpu = ComputeOptions.cpu(1);
    ComputeOptions options = new ComputeOptions(1, false, cpu.precision(), accelerator);
    GenerationRow row = GenerationRow.of(reference, c, file(reference), options);
    System.out.print(row.markdown());
    assertThat(row.allCodesEqual()).as(row.markdown()).isTrue();
    assertThat(row.codes()[1]).isPositive();
    below(row.latents(), CLOSE);
    below(row.pixels(), CLOSE);
    below(row.levels(), 1.5);
    below(row.logits(), LOGITS);
    below(row.nats(), 1e-3);
  }

  /** What a case has not is NaN. */
  private static void below(double error, double limit) {
    assertThat(error >= limit).as("%s, expected below %s", error, limit).isFalse();
  }

  private synchronized Path file(GenerationReference reference) throws IOException {
    String root = Integer.toHexString(reference.reference().root().hashCode());
    return GenerationRow.converted(reference, Files.createDirectories(directory.resolve(root)));
  }
}
