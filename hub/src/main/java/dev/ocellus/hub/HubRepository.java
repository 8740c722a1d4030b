package dev.ocellus.hub;

import dev.ocellus.hub.HubException.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Brings models of HuggingFace's hub into its cache. */
final class HubRepository {
  private final Http http;
  private final HubSettings settings;
  private final Download download;
  private final PullListener listener;

  HubRepository(Http http, HubSettings settings, Download download, PullListener listener) {
    this.http = http;
    this.settings = settings;
    this.download = download;
    this.listener = listener;
  }

  /** The files of a model; what is missing is fetched. */
  ModelFiles get(HubName name, PullOptions options) throws IOException {
    HubCache cache = new HubCache(settings.cache(), name.repository());
    if (settings.offline()) {
      return local(name, options, cache)
          .orElseThrow(() ->
              new HubException(
                  Kind.OFFLINE,
                  "%s is not in %s, and nothing may be fetched: offline is set (here, or by HF_HUB_OFFLINE)."
                      .formatted(name, settings.cache())));
    }
    HubApi api = new HubApi(http, settings);
    HubApi.Listing listing;
    try {
      listing = api.list(name);
    } catch (HubException e) {
      return fallBack(name, options, cache, e);
    }
    Chosen chosen = choose(name, options, listing.files());
    try {
      fetch(name, listing.commit(), chosen.all(), api, cache);
    } catch (HubException e) {
      throw e;
    } catch (IOException e) {
      throw cache.notWritable(e);
    }
    return files(cache, listing.commit(), chosen);
  }

  /** What the cache has, where the hub cannot be reached. */
  private ModelFiles fallBack(HubName name, PullOptions options, HubCache cache, HubException e)
      throws IOException {
    if (e.kind() != Kind.NETWORK && e.kind() != Kind.RATE_LIMITED) {
      throw e;
    }
    ModelFiles found = local(name, options, cache).orElseThrow(() -> e);
    listener.note("%s The files of the last pull are used.".formatted(e.getMessage()));
    return found;
  }

  /** The files of a model if all of them are here. */
  Optional<ModelFiles> local(HubName name, PullOptions options, HubCache cache) throws IOException {
    Optional<String> commit = cache.remembered(name.revisionOrDefault());
    if (commit.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          files(cache, commit.get(), choose(name, options, cache.files(commit.get()))));
    } catch (HubException e) {
      return Optional.empty(); // of several types, others are here
    }
  }

  private void fetch(HubName name, String commit, List<HubFile> files, HubApi api, HubCache cache)
      throws IOException {
    cache.create();
    for (HubFile file : files) {
      if (cache.has(commit, file)) {
        continue;
      }
      FileLocks.with(
          cache.lock(file),
          () -> listener.note("waiting for another pull of " + file.path()),
          () -> {
            download.fetch(api.remote(name, commit, file), cache.partial(file), cache.blob(file));
            cache.link(commit, file);
          });
    }
    cache.remember(name.revisionOrDefault(), commit);
  }

  /**
   * What of a repository makes the model.
   *
   * @param model the first is the one to open; empty for a checkpoint
   */
  private record Chosen(List<HubFile> model, Optional<HubFile> mmproj, List<HubFile> all) {}

  private static Chosen choose(HubName name, PullOptions options, List<HubFile> files) {
    GgufChoice gguf = new GgufChoice(files);
    if (name.file().isPresent() || name.quant().isPresent() || gguf.hasModels()) {
      List<HubFile> model = gguf.model(name);
      Optional<HubFile> mmproj = gguf.mmproj(model.getFirst(), options);
      List<HubFile> all = new ArrayList<>(model);
      mmproj.ifPresent(all::add);
      return new Chosen(model, mmproj, all);
    }
    if (!CheckpointChoice.isCheckpoint(files)) {
      throw new HubException(
          Kind.UNSUPPORTED,
          "%s has neither GGUF files nor a checkpoint (config.json)".formatted(name.repository()));
    }
    return new Chosen(List.of(), Optional.empty(), CheckpointChoice.of(files));
  }

  private static ModelFiles files(HubCache cache, String commit, Chosen chosen) {
    List<Path> all = chosen.all().stream().map(f -> cache.snapshot(commit, f.path())).toList();
    Path model =
        chosen.model().isEmpty()
            ? cache.snapshot(commit)
            : cache.snapshot(commit, chosen.model().getFirst().path());
    if (!Files.exists(model)) {
      throw new HubException(Kind.DISK, model + " vanished while it was fetched");
    }
    return new ModelFiles(model, chosen.mmproj().map(f -> cache.snapshot(commit, f.path())), all);
  }
}
