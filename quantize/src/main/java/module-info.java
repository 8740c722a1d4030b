/** Model tooling: inspect, convert, quantize, measure. */
module dev.ocellus.quantize {
  requires static org.jspecify;
  requires transitive dev.ocellus.bindings;
  requires transitive dev.ocellus.vlm;
  requires com.fasterxml.jackson.databind;
  requires com.fasterxml.jackson.dataformat.yaml;

  exports dev.ocellus.convert;
  exports dev.ocellus.convert.cache;
  exports dev.ocellus.convert.common;
  exports dev.ocellus.eval;
  exports dev.ocellus.quantize;
  exports dev.ocellus.quantize.file;
  exports dev.ocellus.quantize.imatrix;
  exports dev.ocellus.quantize.inspect;
  exports dev.ocellus.quantize.measure;
  exports dev.ocellus.quantize.text;

  provides dev.ocellus.vlm.embedding.CheckpointConverter with
      dev.ocellus.convert.cache.DualEncoderFolders;
}
