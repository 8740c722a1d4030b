/** The {@code ocellus} command. */
module dev.ocellus.cli {
  requires static org.jspecify;
  requires dev.ocellus.vlm;
  requires dev.ocellus.quantize;
  requires com.fasterxml.jackson.databind;
  requires info.picocli;
  requires org.jline;
}
