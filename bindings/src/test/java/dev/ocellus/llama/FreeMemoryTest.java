package dev.ocellus.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ocellus.gguf.TensorType;
import dev.ocellus.llama.Hyperparameters.Cache;
import dev.ocellus.llama.Hyperparameters.YarnRange;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FreeMemoryTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path root;

  @Test
  void ofAMachineWithoutGroupsIsWhatIsAvailableAndCanBeSwapped() throws IOException {
    write(
        "proc/meminfo",
        "MemTotal: 8192 kB\nMemFree: 1 kB\nMemAvailable: 4096 kB\nSwapFree: 1024 kB\n");
    assertThat(FreeMemory.under(root)).contains(new FreeMemory(5 * MIB, "of this machine"));
  }

  @Test
  void ofAGroupIsItsLimitLessWhatCannotBeGivenBack() throws IOException {
    write("proc/meminfo", "MemAvailable: 1048576 kB\n");
    write("proc/self/cgroup", "0::/outer/inner\n");
    write("sys/fs/cgroup/outer/memory.max", 100 * MIB + "\n");
    write("sys/fs/cgroup/outer/memory.current", 80 * MIB + "\n");
    write(
        "sys/fs/cgroup/outer/memory.stat",
        "anon 1\ninactive_file %d\nactive_file %d\n".formatted(3 * MIB, 4 * MIB));
    write("sys/fs/cgroup/outer/inner/memory.max", "max\n");
    write("sys/fs/cgroup/outer/inner/memory.current", "5\n");
    assertThat(FreeMemory.under(root).orElseThrow().bytes()).isEqualTo(27 * MIB);
  }

  @Test
  void ofAGroupInAContainerIsThatOfTheRoot() throws IOException {
    write("proc/meminfo", "MemAvailable: 1048576 kB\n");
    write("proc/self/cgroup", "0::/docker/of-the-host\n");
    write("sys/fs/cgroup/memory.max", 100 * MIB + "\n");
    write("sys/fs/cgroup/memory.current", 120 * MIB + "\n");
    assertThat(FreeMemory.under(root).orElseThrow().bytes()).isZero();
  }

  @Test
  void groupsOfTheFirstVersionCountToo() throws IOException {
    write("proc/meminfo", "MemAvailable: 1048576 kB\n");
    write("proc/self/cgroup", "4:cpu,memory:/jobs\n3:pids:/other\n");
    write("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", 64 * MIB + "\n");
    write("sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", 50 * MIB + "\n");
    write(
        "sys/fs/cgroup/memory/jobs/memory.stat",
        "inactive_file 9\ntotal_inactive_file %d\n".formatted(6 * MIB));
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", 50 * MIB + "\n");
    assertThat(FreeMemory.under(root).orElseThrow().bytes()).isEqualTo(20 * MIB);
  }

  @Test
  void isUnknownWhereThereIsNoSuchFileSystem() {
    assertThat(FreeMemory.under(root)).isEmpty();
  }

  @Test
  void aContextThatDoesNotFitIsRefused() {
    // 16 layers x 8 heads x 64 elements, F16 keys and values: 32 KiB a token
    var sizes =
        new Hyperparameters(
            16, 512, 8, 64, 0, new Cache(8192, 8192, true), true, new YarnRange(32, 1));
    var options = ContextOptions.defaults().withSequences(4);
    var enough = Optional.of(new FreeMemory(140 * MIB, "of this machine"));
    ContextGuard.checkMemory(sizes, 1000, 4096, options, enough);
    ContextGuard.checkMemory(sizes, 1000, 1 << 20, options, Optional.empty());
    var small = options.withCache(TensorType.Q8_0, TensorType.Q8_0);
    ContextGuard.checkMemory(
        sizes, 1000, 4096, small, Optional.of(new FreeMemory(80 * MIB, "of this machine")));
    assertThatThrownBy(() ->
            ContextGuard.checkMemory(
                sizes,
                1000,
                4096,
                options,
                Optional.of(new FreeMemory(100 * MIB, "of this process's control group"))))
        .isInstanceOfSatisfying(
            ContextMemoryException.class,
            e -> {
              assertThat(e.available()).isEqualTo(100 * MIB);
              assertThat(e.required()).isBetween(128 * MIB, 140 * MIB);
            })
        .hasMessageContaining("A context of 4096 tokens for 4 sequences needs")
        .hasMessageContaining("100 MiB are free (of this process's control group)")
        .hasMessageContaining("nCtx")
        .hasMessageNotContaining("-c");
  }

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
