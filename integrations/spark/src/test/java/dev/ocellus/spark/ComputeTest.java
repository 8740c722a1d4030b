package dev.ocellus.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.spark.ExecutorOptions.Gpu;
import org.apache.spark.SparkConf;
import org.junit.jupiter.api.Test;

class ComputeTest {
  private static final String[] NONE = {};

  @Test
  void knowsTheCoresOfAnExecutor() {
    assertThat(cores("local")).isEqualTo(1);
    assertThat(cores("local[3]")).isEqualTo(3);
    assertThat(cores("local[*]")).isEqualTo(16);
    assertThat(cores("local[3, 2]")).isEqualTo(3);
    assertThat(cores("local-cluster[2, 4, 1024]")).isEqualTo(4);
    assertThat(cores("spark://master:7077")).isEqualTo(16);
    SparkConf conf = new SparkConf(false).set("spark.master", "yarn");
    assertThat(Compute.cores(conf.set("spark.executor.cores", "5"), 16)).isEqualTo(5);
  }

  private static int cores(String master) {
    return Compute.cores(new SparkConf(false).set("spark.master", master), 16);
  }

  @Test
  void sharesAModelAmongTheTasksOfAnExecutor() {
    ExecutorOptions options = ExecutorOptions.defaults();
    assertThat(Compute.of(options, 8, 2, NONE)).isEqualTo(new Compute(8, 4, 4, Compute.NO_GPU));
    assertThat(Compute.of(options.withThreads(3).withParallel(9), 8, 2, NONE))
        .isEqualTo(new Compute(3, 9, 4, Compute.NO_GPU));
  }

  @Test
  void takesTheGpuOfTheTask() {
    ExecutorOptions options = ExecutorOptions.defaults();
    String[] third = {"3"};
    assertThat(Compute.of(options, 8, 2, third)).isEqualTo(new Compute(2, 4, 4, 3));
    assertThat(Compute.of(options.withGpu(Gpu.NONE), 8, 2, third).gpu()).isEqualTo(Compute.NO_GPU);
    assertThat(Compute.of(options.withGpu(Gpu.ANY), 8, 2, NONE).gpu()).isEqualTo(Compute.ANY_GPU);
    assertThatThrownBy(() -> Compute.of(options, 8, 2, new String[] {"GPU-1f"}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'GPU-1f'");
  }

  @Test
  void warnsOfSpeculation() {
    SparkConf conf = new SparkConf(false);
    assertThat(OcellusSpark.warnings(conf)).isEmpty();
    assertThat(OcellusSpark.warnings(conf.set("spark.speculation", "true")))
        .singleElement()
        .asString()
        .contains("spark.speculation is on");
  }
}
