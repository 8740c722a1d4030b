/** Models by name: HuggingFace's hub and cache, Ollama's registry and store. */
module dev.ocellus.hub {
  requires static org.jspecify;
  requires transitive dev.ocellus.nativelib;
  requires dev.ocellus.bindings;
  requires com.fasterxml.jackson.databind;
  requires java.net.http;

  exports dev.ocellus.hub;
}
