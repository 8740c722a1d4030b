/** Vision-language models: the public door of Ocellus. */
module dev.ocellus.vlm {
  requires static org.jspecify;
  requires transitive dev.ocellus.bindings;
  requires com.fasterxml.jackson.databind;
  requires transitive java.desktop;
  requires com.twelvemonkeys.imageio.core;
  requires com.twelvemonkeys.imageio.tiff;

  uses dev.ocellus.vlm.embedding.CheckpointConverter;
  uses dev.ocellus.vlm.image.document.DocumentReader;

  exports dev.ocellus.vlm;
  exports dev.ocellus.vlm.chat;
  exports dev.ocellus.vlm.codes;
  exports dev.ocellus.vlm.decode to
      dev.ocellus.quantize,
      dev.ocellus.cli,
      dev.ocellus.server;
  exports dev.ocellus.vlm.dual;
  exports dev.ocellus.vlm.embedding;
  exports dev.ocellus.vlm.encoder;
  exports dev.ocellus.vlm.fusion;
  exports dev.ocellus.vlm.generate to
      dev.ocellus.quantize,
      dev.ocellus.cli,
      dev.ocellus.server;
  exports dev.ocellus.vlm.generation;
  exports dev.ocellus.vlm.grammar;
  exports dev.ocellus.vlm.grammar.schema;
  exports dev.ocellus.vlm.grounding;
  exports dev.ocellus.vlm.image;
  exports dev.ocellus.vlm.image.codec;
  exports dev.ocellus.vlm.image.document;
  exports dev.ocellus.vlm.imagetext;
  exports dev.ocellus.vlm.json;
  exports dev.ocellus.vlm.model;
  exports dev.ocellus.vlm.npy;
  exports dev.ocellus.vlm.ocr;
  exports dev.ocellus.vlm.options;
  exports dev.ocellus.vlm.prompt;
  exports dev.ocellus.vlm.python to
      dev.ocellus.cli,
      dev.ocellus.quantize,
      dev.ocellus.server;
  exports dev.ocellus.vlm.sampling;
  exports dev.ocellus.vlm.session;
  exports dev.ocellus.vlm.template;
  exports dev.ocellus.vlm.template.text;
  exports dev.ocellus.vlm.vision;
}
