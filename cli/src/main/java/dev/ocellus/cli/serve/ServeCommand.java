package dev.ocellus.cli.serve;

import dev.ocellus.cli.command.OcellusCommand;
import dev.ocellus.cli.command.Range;
import dev.ocellus.cli.command.Version;
import dev.ocellus.cli.options.ModelMixin;
import dev.ocellus.cli.options.SessionMixin;
import dev.ocellus.cli.terminal.ExitCode;
import dev.ocellus.cli.terminal.Io;
import dev.ocellus.cli.terminal.Json;
import dev.ocellus.compute.MatrixPrecision;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.llama.ContextOptions;
import dev.ocellus.server.ModelFolder;
import dev.ocellus.server.OcellusServer;
import dev.ocellus.server.options.ModelSource;
import dev.ocellus.server.options.ServerOptions;
import dev.ocellus.vlm.DemoModel;
import dev.ocellus.vlm.embedding.EmbeddingOptions;
import dev.ocellus.vlm.model.ModelKind;
import dev.ocellus.vlm.model.ModelRegistry;
import dev.ocellus.vlm.options.LoadOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A server of models. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    header = ServeCommand.HEADER,
    description = {
      "Speaks the APIs of OpenAI (/v1/chat/completions, /v1/completions, /v1/responses,"
          + " /v1/embeddings with images), Anthropic (/v1/messages), Ollama (/api/chat …) and"
          + " llama-server, and has a page to chat with at its root.",
      "Listens on this machine only, unless --host says otherwise; then give API keys as well."
          + " Models are loaded when they are asked for, the first one at once. Ends on Ctrl-C or"
          + " SIGTERM when the answers that are being generated are complete."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  ocellus serve",
      "  ocellus serve -m model.gguf --mmproj mmproj.gguf --parallel 8 --port 8080",
      "  ocellus serve --models-dir models --memory 24G --api-key-file keys.txt --host 0.0.0.0",
      "",
      "Exit codes: 0 ended in order, 1 failed, 2 wrong command line."
    })
public final class ServeCommand extends OcellusCommand {
  /** What it does, in one line. */
  public static final String HEADER =
      "Serves models over HTTP to every client of OpenAI's API and others.";

  private static final int DEFAULT_PARALLEL = 4;

  @Option(
      names = "--models-dir",
      paramLabel = "DIR",
      description =
          "All models of a folder (GGUF), each with the image encoder that is named after it.")
  @Nullable Path modelsDir;

  @Option(
      names = {"-a", "--alias"},
      paramLabel = "NAME",
      description = "What requests call the model of -m. Default: the name of its file.")
  @Nullable String alias;

  @Option(
      names = "--embedding-model",
      paramLabel = "FILE",
      description = "A dual encoder such as CLIP for /v1/embeddings; may be given several times.")
  List<Path> embeddingModels = new ArrayList<>();

  @Option(
      names = {"-np", "--parallel"},
      paramLabel = "N",
      description = "Answers that are generated together by a model. Default: 4.")
  @Range(min = 1, max = ContextOptions.MAX_SEQUENCES)
  int parallel = DEFAULT_PARALLEL;

  @Option(
      names = "--check",
      hidden = true, // the launcher learns with it which classes a server needs
      description = "Answer a question of its own over the network, and end.")
  boolean check;

  @ArgGroup(validate = false, heading = "%nListening and access:%n")
  ListenGroup listen = new ListenGroup();

  @ArgGroup(validate = false, heading = "%nLimits:%n")
  LimitGroup limits = new LimitGroup();

  @Mixin ModelMixin model = new ModelMixin();
  @Mixin SessionMixin session = new SessionMixin();

  public ServeCommand(Io io) {
    super(io);
  }

  @Override
  protected int run() throws IOException {
    ServerOptions listening = listen.apply(this, ServerOptions.of(sources()));
    ServerOptions options = checked(() -> limits.apply(listening));
    var end = new CountDownLatch(1);
    Object term = Signals.register("TERM", end::countDown);
    Object interrupt = Signals.register("INT", end::countDown);
    try (OcellusServer server = OcellusServer.start(options)) {
      announce(server, options);
      if (check) {
        return answersItself(server, options);
      }
      preload(server, options.models().getFirst().name());
      end.await();
      note("finishing what is being answered …");
      server.drainAndClose();
      return ExitCode.OK;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCode.INTERRUPTED;
    } finally {
      Signals.unregister("TERM", term);
      Signals.unregister("INT", interrupt);
    }
  }

  private int answersItself(OcellusServer server, ServerOptions options) throws IOException {
    if (options.listen().tls() != null) {
      throw usage("--check speaks no TLS");
    }
    var questions = new SelfQuestion(server.port(), options);
    for (boolean stream : new boolean[] {true, false}) {
      String answer = questions.ask(stream);
      if (!answer.startsWith("HTTP/1.1 200")) {
        throw new IOException("the server does not answer: " + answer);
      }
    }
    server.drainAndClose();
    return ExitCode.OK;
  }

  private void announce(OcellusServer server, ServerOptions options) {
    String host = options.listen().host();
    String url =
        "%s://%s:%d"
            .formatted(
                options.listen().tls() == null ? "http" : "https",
                host.contains(":") ? "[" + host + "]" : host,
                server.port());
    if (printsJson()) {
      var line = Json.object().put("url", url).put("port", server.port());
      options.models().forEach(model -> line.withArray("models").add(model.name()));
      printJson(line);
    } else {
      note("listening on " + url);
      note(
          "models: "
              + String.join(", ", options.models().stream().map(ModelSource::name).toList()));
      if (listen.isOpenToOthers(options) && options.access().apiKeys().isEmpty()) {
        note(
            "anybody who reaches this address can use the models: no API key is asked for"
                + " (--api-key)");
      }
    }
  }

  /** The first request finds the model loaded, or waits for what is under way. */
  private void preload(OcellusServer server, String name) {
    Thread unused =
        Thread.ofPlatform()
            .daemon()
            .name("ocellus-preload")
            .start(() -> {
              try {
                server.api().preload(name);
              } catch (RuntimeException | Error e) {
                io().err().println("ocellus: error: " + e.getMessage());
                io().err().flush();
              }
            });
  }

  /** A model that cannot answer is told of before the server listens. */
  private static void requireText(Path model) throws IOException {
    try (GgufFile file = GgufFile.open(model)) {
      ModelRegistry.require(file, ModelKind.TEXT);
    }
  }

  private List<ModelSource> sources() throws IOException {
    List<ModelSource> all = new ArrayList<>();
    boolean demo = model.model() == null && modelsDir == null && embeddingModels.isEmpty();
    if (model.model() != null || demo) {
      LoadOptions load = withSessions(model.loadOptions(this));
      if (demo && !model.hasContextSize()) { // what it was trained with, which is less than usual
        load = load.withContextOptions(load.contextOptions().withContext(0));
      }
      requireText(load.model());
      String name = alias != null ? alias : demo ? DemoModel.NAME : fileName(load.model());
      all.add(ModelSource.chat(name, load));
    }
    if (modelsDir != null) {
      LoadOptions any =
          withSessions(
              LoadOptions.of(modelsDir)
                  .withModelOptions(checked(model::modelOptions))
                  .withContextOptions(checked(model::contextOptions))
                  .withImageOptions(checked(model::imageOptions))
                  .withVisionPrecision(model.visionPrecision()));
      all.addAll(ModelFolder.scan(modelsDir, any, EmbeddingOptions.defaults()));
    }
    for (Path file : embeddingModels) {
      all.add(ModelSource.embedding(fileName(file), file));
    }
    if (demo) {
      all.add(
          new ModelSource(
              DemoModel.DUAL_ENCODER,
              List.of(),
              new ModelSource.Embedding(
                  DemoModel.dualEncoder(), new EmbeddingOptions(1, true, MatrixPrecision.EXACT))));
    }
    if (all.isEmpty()) {
      throw usage("there is no model in " + modelsDir);
    }
    return all;
  }

  private LoadOptions withSessions(LoadOptions load) {
    return load.withSessions(checked(() -> session.options().withParallel(parallel)));
  }

  private static String fileName(Path file) {
    return String.valueOf(file.getFileName()).replaceFirst("\\.gguf$", "");
  }
}
