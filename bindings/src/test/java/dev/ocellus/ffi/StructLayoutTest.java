package dev.ocellus.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The generated layouts against what a C compiler says about the same structs. */
class StructLayoutTest {
  private static final Path FOLDER = Path.of("abi");

  private static final List<MemoryLayout> LAYOUTS =
      List.of(
          ggml_backend_dev_caps.layout(),
          ggml_backend_dev_props.layout(),
          ggml_bf16_t.layout(),
          ggml_init_params.layout(),
          ggml_tallocr.layout(),
          ggml_tensor.layout(),
          ggml_threadpool_params.layout(),
          ggml_type_traits.layout(),
          gguf_init_params.layout(),
          llama_batch.layout(),
          llama_chat_message.layout(),
          llama_context_params.layout(),
          llama_logit_bias.layout(),
          llama_model_imatrix_data.layout(),
          llama_model_kv_override.layout(),
          llama_model_params.layout(),
          llama_model_quantize_params.layout(),
          llama_model_tensor_buft_override.layout(),
          llama_model_tensor_override.layout(),
          llama_perf_context_data.layout(),
          llama_perf_sampler_data.layout(),
          llama_sampler.layout(),
          llama_sampler_chain_params.layout(),
          llama_sampler_data.layout(),
          llama_sampler_i.layout(),
          llama_sampler_seq_config.layout(),
          llama_token_data.layout(),
          llama_token_data_array.layout());

  @Test
  void everyStructHasTheSizeAndOffsetsOfTheCompiler() throws IOException {
    assertThat(generated())
        .isEqualTo(new TreeSet<>(Files.readAllLines(FOLDER.resolve("structs.txt"))));
  }

  @Test
  void everyGeneratedStructIsInTheTable() throws IOException {
    Set<String> named = new TreeSet<>();
    LAYOUTS.forEach(layout -> named.add(layout.name().orElseThrow()));
    Set<String> found = new TreeSet<>();
    try (Stream<Path> files = Files.list(Path.of("src/main/java/dev/ocellus/ffi"))) {
      for (Path file : files.toList()) {
        if (Files.readString(file).contains("GroupLayout $LAYOUT")) {
          found.add(file.getFileName().toString().replace(".java", ""));
        }
      }
    }
    assertThat(named).isEqualTo(found);
  }

  /** With the headers at hand, the committed table is made anew. */
  @Test
  void theTableIsWhatTheCompilerSaysNow() throws IOException, InterruptedException {
    String headers = System.getProperty("ocellus.llama.cpp", "");
    Assumptions.assumeFalse(
        headers.isEmpty(),
        "no -Docellus.llama.cpp=CHECKOUT: the committed abi/structs.txt is compared with only");
    Path out = Files.createTempFile("structs", ".txt");
    ProcessBuilder check = new ProcessBuilder("./check.sh").directory(FOLDER.toFile());
    check.environment().put("LLAMA_CPP", Path.of(headers).toAbsolutePath().toString());
    int status =
        check
            .redirectOutput(out.toFile())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start()
            .waitFor();
    assertThat(status).isZero();
    assertThat(out).hasSameTextualContentAs(FOLDER.resolve("structs.txt"));
    System.out.println("StructLayoutTest: asked the C compiler about the headers in " + headers);
    Files.delete(out);
  }

  private static Set<String> generated() {
    Set<String> lines = new TreeSet<>();
    for (MemoryLayout layout : LAYOUTS) {
      String struct = layout.name().orElseThrow();
      lines.add(struct + " " + layout.byteSize());
      fields((GroupLayout) layout, 0)
          .forEach((name, place) -> lines.add(struct + "." + name + " " + place));
    }
    return lines;
  }

  /**
   * Fields by name with offset and size; an anonymous union counts as part of what is around it.
   */
  private static TreeMap<String, String> fields(GroupLayout group, long base) {
    TreeMap<String, String> fields = new TreeMap<>();
    for (MemoryLayout member : group.memberLayouts()) {
      if (member.name().isPresent()) {
        String name = member.name().get();
        long offset = base + group.byteOffset(PathElement.groupElement(name));
        if (name.startsWith("$anon")) {
          fields.putAll(fields((GroupLayout) member, offset));
        } else {
          fields.put(name, offset + " " + member.byteSize());
        }
      }
    }
    return fields;
  }
}
