package dev.ocellus.hub;

import java.io.IOException;
import java.util.List;

/**
 * Models by name: what is missing is fetched, checked and kept, and the files are given.
 *
 * <pre>{@code
 * try (ModelHub hub = ModelHub.open(HubSettings.fromEnvironment())) {
 *   ModelFiles files = hub.get("hf://ggml-org/SmolVLM-500M-Instruct-GGUF:Q8_0", PullListener.NONE);
 * }
 * }</pre>
 *
 * <p>May be used by several threads; pulls of the same file wait for each other, between processes
 * too.
 */
public final class ModelHub implements AutoCloseable {
  private final HubSettings settings;
  private final Http http;

  private ModelHub(HubSettings settings, Backoff backoff) {
    this.settings = settings;
    this.http = new Http(settings, backoff);
  }

  /** Opens no connection yet. */
  public static ModelHub open(HubSettings settings) {
    return open(settings, new Backoff());
  }

  static ModelHub open(HubSettings settings, Backoff backoff) {
    return new ModelHub(settings, backoff);
  }

  /**
   * The files of a model by its name.
   *
   * @throws HubException if the text is no name, or the model cannot be had
   * @throws java.util.concurrent.CancellationException if the listener stopped it
   */
  public ModelFiles get(String name, PullListener listener) throws IOException {
    ModelName parsed =
        ModelName.parse(name)
            .orElseThrow(() ->
                new HubException(
                    HubException.Kind.NAME,
                    "'%s' is no name of a model: expected hf://org/repo or ollama:model"
                        .formatted(name)));
    return get(parsed, PullOptions.defaults(), listener);
  }

  /** The same with a choice. */
  public ModelFiles get(ModelName name, PullOptions options, PullListener listener)
      throws IOException {
    Download download = new Download(http, settings, listener);
    return switch (name) {
      case HubName hub -> new HubRepository(http, settings, download, listener).get(hub, options);
      case OllamaName ollama -> new OllamaRegistry(http, settings, download, listener).get(ollama);
    };
  }

  /** The models on this machine, in the order of their names. */
  public List<StoredModel> stored() throws IOException {
    return new StoredModels(settings).list();
  }

  /**
   * Reads every byte of a model and compares it with the hash that it is kept under.
   *
   * @return what is wrong; nothing if all is well
   */
  public List<String> verify(StoredModel model, PullListener listener) throws IOException {
    return new StoredModels(settings).verify(model, listener);
  }

  /**
   * Removes a model from this machine, but no file that another one needs.
   *
   * @return bytes that are free now
   */
  public long remove(StoredModel model) throws IOException {
    return new StoredModels(settings).remove(model);
  }

  @Override
  public void close() {
    http.close();
  }
}
