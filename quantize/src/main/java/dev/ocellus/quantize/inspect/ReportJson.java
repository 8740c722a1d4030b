package dev.ocellus.quantize.inspect;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.ocellus.gguf.GgufArray;
import dev.ocellus.gguf.GgufFile;
import dev.ocellus.gguf.GgufString;
import dev.ocellus.gguf.GgufTensor;
import dev.ocellus.gguf.GgufValue;
import dev.ocellus.gguf.MetadataType;
import java.math.BigInteger;
import java.util.List;

/** Renders a report as JSON; docs/gguf.md describes the shape. */
final class ReportJson {
  /** What an abbreviated report shows of a string; templates fit, abuse does not. */
  static final int MAX_STRING_BYTES = 1 << 20;

  /** What an abbreviated report shows of an array. */
  static final int MAX_ELEMENTS = 8;

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final GgufReport report;
  private final GgufFile file;
  private final boolean full;

  ReportJson(GgufReport report, boolean full) {
    this.report = report;
    this.file = report.file();
    this.full = full;
  }

  ObjectNode render() {
    ObjectNode root = NODES.objectNode();
    root.put("format", "gguf");
    root.put("version", file.version());
    ArrayNode files = root.putArray("files");
    file.files().forEach(p -> files.add(p.toString()));
    root.put("file_bytes", file.byteSize());
    root.put("alignment", file.alignment());
    root.put("architecture", report.architecture().orElse(null));
    root.put("name", report.name().orElse(null));
    root.put("type", report.kind().orElse(null));
    root.put("file_type", report.fileType().orElse(null));
    root.put("parameters", report.parameters());
    root.put("tensor_bytes", report.tensorBytes());
    root.put("bits_per_weight", report.bitsPerWeight());
    ArrayNode types = root.putArray("tensor_types");
    for (GgufReport.TypeTotal t : report.typeTotals()) {
      types
          .addObject()
          .put("type", t.type().ggmlName())
          .put("tensors", t.tensors())
          .put("parameters", t.parameters())
          .put("bytes", t.bytes());
    }
    tokenizer(root);
    root.put("chat_template", report.chatTemplate().orElse(null));
    ObjectNode metadata = root.putObject("metadata");
    file.metadata().asMap().forEach((key, v) -> metadata.set(key, entry(v)));
    ArrayNode tensors = root.putArray("tensors");
    file.tensors().forEach(t -> tensor(tensors.addObject(), t));
    return root;
  }

  private void tokenizer(ObjectNode root) {
    report
        .tokenizer()
        .ifPresentOrElse(
            t -> {
              ObjectNode node = root.putObject("tokenizer");
              node.put("model", t.model());
              node.put("pre", t.pre());
              node.put("tokens", t.tokens());
              node.put("merges", t.merges());
              ObjectNode special = node.putObject("special");
              for (GgufReport.SpecialToken s : t.special()) {
                special.putObject(s.role()).put("id", s.id()).put("text", s.text());
              }
            },
            () -> root.putNull("tokenizer"));
  }

  private void tensor(ObjectNode node, GgufTensor t) {
    node.put("name", t.name());
    node.put("type", t.type().ggmlName());
    ArrayNode shape = node.putArray("shape");
    t.shape().forEach(shape::add);
    node.put("offset", t.offset());
    node.put("bytes", t.byteSize());
    node.put("file", file.files().indexOf(t.file()));
  }

  private ObjectNode entry(GgufValue value) {
    ObjectNode node = NODES.objectNode();
    node.put("type", value.type().shortName());
    switch (value) {
      case GgufValue.Int i -> {
        if (i.type() == MetadataType.U64) {
          node.put("value", new BigInteger(i.display()));
        } else {
          node.put("value", i.value());
        }
      }
      case GgufValue.Real r -> {
        if (r.type() == MetadataType.F32) {
          node.put("value", (float) r.value());
        } else {
          node.put("value", r.value());
        }
      }
      case GgufValue.Bool b -> node.put("value", b.value());
      case GgufString s -> {
        node.put("value", full ? s.value() : s.start(MAX_STRING_BYTES));
        if (!full && s.byteLength() > MAX_STRING_BYTES) {
          node.put("truncated", true);
        }
      }
      case GgufArray a -> array(node, a);
    }
    return node;
  }

  private void array(ObjectNode node, GgufArray a) {
    node.put("element_type", a.elementType().shortName());
    node.put("length", a.length());
    boolean whole = a.length() <= (full ? GgufArray.MAX_BULK_ELEMENTS : MAX_ELEMENTS);
    ArrayNode out = node.putArray("value");
    int n = whole ? a.length() : MAX_ELEMENTS;
    switch (a.elementType()) {
      case STRING -> a.firstStrings(n).forEach(out::add);
      case ARRAY -> {
        List<GgufArray> inner = a.firstArrays(n);
        inner.forEach(i -> array(out.addObject(), i));
      }
      case BOOL -> {
        for (int i = 0; i < n; i++) {
          out.add(a.booleanAt(i));
        }
      }
      case F32 -> {
        for (int i = 0; i < n; i++) {
          out.add((float) a.doubleAt(i));
        }
      }
      case F64 -> {
        for (int i = 0; i < n; i++) {
          out.add(a.doubleAt(i));
        }
      }
      case U64 -> {
        for (int i = 0; i < n; i++) {
          out.add(new BigInteger(Long.toUnsignedString(a.longAt(i))));
        }
      }
      case U8, I8, U16, I16, U32, I32, I64 -> {
        for (int i = 0; i < n; i++) {
          out.add(a.longAt(i));
        }
      }
    }
    if (!whole) {
      node.put("truncated", true);
    }
  }
}
