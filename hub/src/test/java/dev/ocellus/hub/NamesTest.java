package dev.ocellus.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of models, and the variables of the environment. */
final class NamesTest {
  @TempDir Path home;

  @ParameterizedTest
  @CsvSource({
    "hf://org/repo, org/repo, , ,",
    "hf:/org/repo:Q4_K_M, org/repo, , Q4_K_M,",
    "hf://org/repo-GGUF/sub/m-00001-of-00002.gguf, org/repo-GGUF, , , sub/m-00001-of-00002.gguf",
    "hf://org/repo@refs/pr/1:F16, org/repo, refs/pr/1, F16,",
    "hf://org/repo@v1.0/x.gguf, org/repo, v1.0, , x.gguf",
    "hf://gpt2, gpt2, , ,",
    "https://huggingface.co/org/repo, org/repo, , ,",
    "https://huggingface.co/org/repo/resolve/main/x.gguf?download=true, org/repo, main, , x.gguf",
    "https://huggingface.co/org/repo/blob/main/a/x.gguf, org/repo, main, , a/x.gguf",
    "https://huggingface.co/org/repo/tree/main, org/repo, main, ,"
  })
  void readsNamesOfTheHub(
      String text, String repository, String revision, String quant, String file) {
    assertThat(ModelName.parse(text))
        .contains(
            new HubName(
                repository,
                Optional.ofNullable(revision),
                Optional.ofNullable(quant),
                Optional.ofNullable(file)));
  }

  @ParameterizedTest
  @CsvSource({
    "ollama:gemma3, , library, gemma3, latest, ollama:gemma3:latest",
    "ollama:gemma3:4b-it-q4_K_M, , library, gemma3, 4b-it-q4_K_M, ollama:gemma3:4b-it-q4_K_M",
    "ollama:me/llava:7b, , me, llava, 7b, ollama:me/llava:7b",
    "ollama:hf.co/me/x-GGUF:Q4, hf.co, me, x-GGUF, Q4, ollama:hf.co/me/x-GGUF:Q4",
    "ollama:localhost:5000/a/b, localhost:5000, a, b, latest, ollama:localhost:5000/a/b:latest"
  })
  void readsNamesOfOllama(
      String text, String host, String namespace, String model, String tag, String shown) {
    Optional<ModelName> name = ModelName.parse(text);
    assertThat(name).contains(new OllamaName(Optional.ofNullable(host), namespace, model, tag));
    assertThat(name.orElseThrow()).hasToString(shown);
    assertThat(ModelName.parse(shown)).isEqualTo(name);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hf://",
        "hf://../../etc",
        "hf://a/b/../c",
        "hf://a b/c",
        "hf://a/b@../x",
        "hf://a/b:",
        "hf://a/b/c\\d.gguf",
        "ollama:",
        "ollama:../x",
        "ollama:a/b/c/d",
        "ollama:a:b:c",
        "ollama:x/../y"
      })
  void refusesWhatIsNone(String text) {
    assertThatThrownBy(() -> ModelName.parse(text))
        .isInstanceOfSatisfying(
            HubException.class, e -> assertThat(e.kind()).isEqualTo(HubException.Kind.NAME));
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.gguf", "/a/hf:/b", "./ollama:x", "C:\\x.gguf", "org/repo"})
  void leavesPathsAlone(String text) {
    assertThat(ModelName.isName(text)).isFalse();
    assertThat(ModelName.parse(text)).isEmpty();
  }

  @Test
  void findsTheCacheAsHuggingfaceHubDoes() {
    assertThat(cache(Map.of())).isEqualTo(home.resolve(".cache/huggingface/hub"));
    assertThat(cache(Map.of("XDG_CACHE_HOME", "/x"))).isEqualTo(Path.of("/x/huggingface/hub"));
    assertThat(cache(Map.of("HF_HOME", "/h", "XDG_CACHE_HOME", "/x"))).isEqualTo(Path.of("/h/hub"));
    assertThat(cache(Map.of("HUGGINGFACE_HUB_CACHE", "/o", "HF_HOME", "/h")))
        .isEqualTo(Path.of("/o"));
    assertThat(cache(Map.of("HF_HUB_CACHE", "~/n", "HUGGINGFACE_HUB_CACHE", "/o")))
        .isEqualTo(home.resolve("n"));
  }

  private Path cache(Map<String, String> environment) {
    return HubSettings.from(environment, home).cache();
  }

  @Test
  void findsTheTokenAsHuggingfaceHubDoes() throws Exception {
    assertThat(HubSettings.from(Map.of(), home).token()).isEmpty();
    Files.createDirectories(home.resolve(".cache/huggingface"));
    Files.writeString(home.resolve(".cache/huggingface/token"), "hf_file\n");
    assertThat(HubSettings.from(Map.of(), home).token()).contains("hf_file");
    Map<String, String> variable = Map.of("HF_TOKEN", " hf_variable ");
    assertThat(HubSettings.from(variable, home).token()).contains("hf_variable");
    assertThat(HubSettings.from(Map.of("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"), home).token())
        .isEmpty();
  }

  @Test
  void takesAnotherHub() {
    assertThat(HubSettings.from(Map.of("HF_ENDPOINT", "https://mirror.example/"), home).endpoint())
        .isEqualTo(URI.create("https://mirror.example"));
    assertThatThrownBy(() -> HubSettings.from(Map.of("HF_ENDPOINT", "mirror"), home))
        .isInstanceOf(HubException.class)
        .hasMessageContaining("HF_ENDPOINT");
    assertThat(HubSettings.from(Map.of("HF_HUB_OFFLINE", "YES"), home).offline()).isTrue();
    assertThat(HubSettings.from(Map.of("HF_HUB_OFFLINE", "0"), home).offline()).isFalse();
  }

  @Test
  void readsProxiesAsCurlDoes() {
    Proxies proxies =
        Proxies.from(
            Map.of(
                "https_proxy", "http://user:pass@proxy.example:3128",
                "NO_PROXY", "localhost,.intern.example"));
    assertThat(proxies.of(URI.create("https://huggingface.co/x")).orElseThrow().getHost())
        .isEqualTo("proxy.example");
    assertThat(proxies.of(URI.create("http://huggingface.co/x"))).isEmpty();
    assertThat(proxies.of(URI.create("https://hub.intern.example/x"))).isEmpty();
    assertThat(proxies.of(URI.create("https://localhost/x"))).isEmpty();
    assertThat(proxies.authenticator()).isNotNull();
    assertThat(Proxies.none().authenticator()).isNull();
  }
}
