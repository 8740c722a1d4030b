package dev.ocellus.server;

import dev.ocellus.server.anthropic.Messages;
import dev.ocellus.server.api.ErrorForm;
import dev.ocellus.server.chat.ChatService;
import dev.ocellus.server.chat.Embedder;
import dev.ocellus.server.llama.LlamaStatus;
import dev.ocellus.server.llama.LlamaTools;
import dev.ocellus.server.ollama.OllamaChat;
import dev.ocellus.server.ollama.OllamaEmbed;
import dev.ocellus.server.ollama.OllamaModels;
import dev.ocellus.server.openai.ChatCompletions;
import dev.ocellus.server.openai.Completions;
import dev.ocellus.server.openai.Embeddings;
import dev.ocellus.server.openai.Models;
import dev.ocellus.server.openai.Responses;
import dev.ocellus.server.options.ServerOptions;
import dev.ocellus.server.page.WebPage;
import java.util.ArrayList;
import java.util.List;

/** All places of the server. */
final class Routes {
  private final List<Route> all = new ArrayList<>();

  private Routes() {}

  static List<Route> of(ChatService service, Embedder embedder, ServerOptions options) {
    var routes = new Routes();
    routes.openAi(service, embedder);
    routes.anthropic(service);
    routes.ollama(service, embedder);
    routes.llama(service, options);
    if (options.page()) {
      routes.page();
    }
    return List.copyOf(routes.all);
  }

  private void openAi(ChatService service, Embedder embedder) {
    var chat = new ChatCompletions(service);
    var completions = new Completions(service);
    var responses = new Responses(service);
    var embeddings = new Embeddings(service, embedder);
    var models = new Models(service.host());
    for (String prefix : List.of("/v1", "")) {
      post(prefix + "/chat/completions", ErrorForm.OPENAI, chat::handle);
      post(prefix + "/chat/completions/input_tokens", ErrorForm.OPENAI, chat::count);
      post(prefix + "/responses/input_tokens", ErrorForm.OPENAI, responses::count);
      post(prefix + "/completions", ErrorForm.OPENAI, completions::handle);
      post(prefix + "/responses", ErrorForm.OPENAI, responses::handle);
      post(prefix + "/embeddings", ErrorForm.OPENAI, embeddings::handle);
      get(prefix + "/models", ErrorForm.OPENAI, models::list);
      get(prefix + "/models/*", ErrorForm.OPENAI, models::one);
    }
  }

  private void anthropic(ChatService service) {
    var messages = new Messages(service);
    post("/v1/messages", ErrorForm.ANTHROPIC, messages::handle);
    post("/v1/messages/count_tokens", ErrorForm.ANTHROPIC, messages::count);
  }

  private void ollama(ChatService service, Embedder embedder) {
    var chat = new OllamaChat(service);
    var embed = new OllamaEmbed(service, embedder);
    var models = new OllamaModels(service.host());
    post("/api/chat", ErrorForm.OLLAMA, chat::chat);
    post("/api/generate", ErrorForm.OLLAMA, chat::generate);
    post("/api/embed", ErrorForm.OLLAMA, embed::embed);
    post("/api/embeddings", ErrorForm.OLLAMA, embed::embedOne);
    post("/api/show", ErrorForm.OLLAMA, models::show);
    get("/api/tags", ErrorForm.OLLAMA, models::tags);
    get("/api/ps", ErrorForm.OLLAMA, models::running);
    get("/api/version", ErrorForm.OLLAMA, models::version);
  }

  private void llama(ChatService service, ServerOptions options) {
    var status = new LlamaStatus(service, options.remoteImages().allowed());
    var tools = new LlamaTools(service);
    open("/health", ErrorForm.LLAMA, status::health);
    open("/v1/health", ErrorForm.LLAMA, status::health);
    get("/props", ErrorForm.LLAMA, status::props);
    get("/slots", ErrorForm.LLAMA, status::slots);
    get("/metrics", ErrorForm.LLAMA, status::metrics);
    post("/models/load", ErrorForm.LLAMA, status::load);
    post("/models/unload", ErrorForm.LLAMA, status::unload);
    post("/tokenize", ErrorForm.LLAMA, tools::tokenize);
    post("/detokenize", ErrorForm.LLAMA, tools::detokenize);
    post("/apply-template", ErrorForm.LLAMA, tools::applyTemplate);
  }

  private void page() {
    var page = new WebPage();
    open("/", ErrorForm.LLAMA, page::root);
    open("/page/*", ErrorForm.LLAMA, page::file);
  }

  private void post(String path, ErrorForm form, Route.Work work) {
    all.add(new Route("POST", path, form, false, work));
  }

  private void get(String path, ErrorForm form, Route.Work work) {
    all.add(new Route("GET", path, form, false, work));
  }

  /** A place that asks nobody for a key. */
  private void open(String path, ErrorForm form, Route.Work work) {
    all.add(new Route("GET", path, form, true, work));
  }

  /** How errors are written where no place is known. */
  static ErrorForm formOf(String path) {
    if (path.startsWith("/api/")) {
      return ErrorForm.OLLAMA;
    }
    return path.startsWith("/v1/messages") ? ErrorForm.ANTHROPIC : ErrorForm.OPENAI;
  }
}
