/** Vision-language models: the public door of Ocellus. */
module dev.ocellus.vlm {
  requires static org.jspecify;
  requires transitive dev.ocellus.bindings;
  requires com.fasterxml.jackson.databind;
  requires java.desktop;
  requires com.twelvemonkeys.imageio.bmp;
  requires com.twelvemonkeys.imageio.core;
  requires com.twelvemonkeys.imageio.tiff;

  exports dev.ocellus.vlm.image;
}
