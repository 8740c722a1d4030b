/** Vision-language models: the public door of Ocellus. */
module dev.ocellus.vlm {
  requires static org.jspecify;
  requires transitive dev.ocellus.bindings;
  requires com.fasterxml.jackson.databind;
  requires java.desktop;

  exports dev.ocellus.vlm.npy;
}
